-- Totals of the last days compared with an equally long period that ended whole weeks earlier (one day: the same
-- weekday a week earlier). Nothing is compared with a period that began before the log, and no period begins before it.
-- params:
--   days   length of each period: 1, 7 or 28 [d] = 7
--   label  label id, every label where empty =
--   genre  main genre, every genre where empty =
with last_day as (
    select
        max(listen_date) as day,
        min(listen_date) as first_day
    from marts.track_daily
),

-- whole weeks between the two, so that each weekday is compared with the same weekday
periods as (
    select
        greatest(day - $days::integer + 1, first_day) as first_date,
        day as last_date,
        day - $days::integer + 1 - 7 * ceil($days::integer / 7)::integer as first_date_before,
        day - 7 * ceil($days::integer / 7)::integer as last_date_before,
        day - $days::integer + 1 - 7 * ceil($days::integer / 7)::integer >= first_day as has_before
    from last_day
),

sums as (
    select
        daily.listen_date >= periods.first_date as is_now,
        sum(daily.n_plays)::bigint as n_plays,
        sum(daily.n_skips)::bigint as n_skips,
        sum(daily.n_saves)::bigint as n_saves,
        sum(daily.n_likes)::bigint as n_likes,
        sum(daily.n_playlist_adds)::bigint as n_playlist_adds,
        count(distinct case when daily.n_plays > 0 then daily.track_id end) as n_tracks
    from marts.track_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    cross join periods
    where
        (
            daily.listen_date between periods.first_date and periods.last_date
            or periods.has_before
            and daily.listen_date between periods.first_date_before and periods.last_date_before
        )
        and ($label = '' or tracks.label_id = $label)
        and ($genre = '' or tracks.genre = $genre)
    group by daily.listen_date >= periods.first_date
),

measured as (
    unpivot sums
    on n_plays, n_tracks, n_saves, n_likes, n_playlist_adds, n_skips
    into name measure value n
)

select
    measured.measure,
    max(case when measured.is_now then measured.n end) as n_now,
    max(case when not measured.is_now then measured.n end) as n_before,
    max(case when measured.is_now then measured.n end)
    / nullif(max(case when not measured.is_now then measured.n end), 0) - 1 as change,
    max(periods.first_date) as first_date,
    max(periods.last_date) as last_date,
    max(periods.first_date_before) as first_date_before,
    max(periods.last_date_before) as last_date_before
from measured
cross join periods
group by measured.measure
order by n_now desc, measured.measure asc
