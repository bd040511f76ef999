-- Artists whose plays changed most: the last days compared with an equally long period that ended whole weeks earlier.
-- No rows if the log does not cover both periods.
-- params:
--   days       length of each period [d] = 7
--   label      label id, every label where empty =
--   genre      main genre of the recordings, every genre where empty =
--   min_plays  plays that an artist needs in at least one of the periods [count] = 50
--   n          artists per direction [count] = 5
with last_day as (
    select
        max(listen_date) as day,
        min(listen_date) as first_date
    from marts.track_daily
),

-- whole weeks between the two, so that each weekday is compared with the same weekday
periods as (
    select
        day - $days::integer as now_after,
        day - $days::integer - 7 * ceil($days::integer / 7)::integer as before_after,
        day - 7 * ceil($days::integer / 7)::integer as before_until
    from last_day
    where day - $days::integer - 7 * ceil($days::integer / 7)::integer >= first_date - 1
),

-- sum by recording first: the join then handles a few sums instead of millions of days
by_track as (
    select
        daily.track_id,
        sum(case when daily.listen_date > periods.now_after then daily.n_plays end) as n_now,
        sum(case when daily.listen_date <= periods.before_until then daily.n_plays end) as n_before
    from marts.track_daily as daily
    cross join periods
    where daily.listen_date > periods.before_after
    group by daily.track_id
),

sums as (
    select
        tracks.artist_id,
        sum(by_track.n_now)::bigint as n_now,
        sum(by_track.n_before)::bigint as n_before
    from by_track
    inner join marts.track_features as tracks on by_track.track_id = tracks.track_id
    where
        tracks.artist_id is not null
        and ($label = '' or tracks.label_id = $label)
        and ($genre = '' or tracks.genre = $genre)
    group by tracks.artist_id
),

compared as (
    select
        sums.artist_id,
        coalesce(artists.name, sums.artist_id) as artist_name,
        coalesce(sums.n_now, 0) as n_now,
        coalesce(sums.n_before, 0) as n_before,
        coalesce(sums.n_now, 0) - coalesce(sums.n_before, 0) as difference,
        coalesce(sums.n_now, 0) / nullif(sums.n_before, 0) - 1 as change
    from sums
    inner join marts.artist_profile as artists on sums.artist_id = artists.artist_id
    where greatest(coalesce(sums.n_now, 0), coalesce(sums.n_before, 0)) >= $min_plays::integer
),

ranked as (
    select
        *,
        row_number() over (order by difference desc, artist_id asc) as gain_no,
        row_number() over (order by difference asc, artist_id asc) as loss_no
    from compared
)

select
    artist_id,
    artist_name,
    n_now,
    n_before,
    difference,
    change
from ranked
where (gain_no <= $n::integer and difference > 0) or (loss_no <= $n::integer and difference < 0)
order by difference desc, artist_id asc
