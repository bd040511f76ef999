-- Artists by growth of plays: velocity is the plays of the last days / those of the window before; acceleration is
-- velocity / velocity one window earlier. Windows of 7 or 28 days contain every weekday equally often. No window begins
-- before the log: without two whole windows there are no rows, without three acceleration is null. Plays of a window
-- are not divided by the days since a release, so an artist whose first release lies in the window before grows from
-- part of a window.
-- params:
--   as_of  last day of the window, the last of the log where empty =
--   days   length of the window: 1, 7 or 28 [d] = 7
--   floor  plays that an artist needs in the window before [count] = 50
--   label  label id, every label where empty =
--   n      artists at most [count] = 50
with last_day as (
    select
        coalesce(cast(nullif($as_of, '') as date), max(listen_date)) as day,
        min(listen_date) as first_date
    from marts.track_daily
),

windows as (
    select
        daily.artist_id,
        sum(case when daily.listen_date > last_day.day - $days::integer then daily.n_plays end) as n_plays,
        sum(
            case
                when daily.listen_date between last_day.day - 2 * $days::integer + 1 and last_day.day - $days::integer
                    then daily.n_plays
            end
        ) as n_before,
        sum(
            case
                when
                    daily.listen_date <= last_day.day - 2 * $days::integer
                    and last_day.first_date <= last_day.day - 3 * $days::integer + 1
                    then daily.n_plays
            end
        ) as n_long_before
    from marts.artist_daily as daily
    cross join last_day
    where
        daily.listen_date between last_day.day - 3 * $days::integer + 1 and last_day.day
        and last_day.first_date <= last_day.day - 2 * $days::integer + 1
    group by daily.artist_id
)

select
    windows.artist_id,
    coalesce(artists.name, windows.artist_id) as name,
    artists.main_genre,
    coalesce(windows.n_plays, 0)::bigint as n_plays,
    windows.n_before::bigint as n_plays_before,
    coalesce(windows.n_plays, 0) / windows.n_before as velocity,
    coalesce(windows.n_plays, 0) / windows.n_before / nullif(windows.n_before / windows.n_long_before, 0) as acceleration
from windows
inner join marts.artist_profile as artists on windows.artist_id = artists.artist_id
where
    windows.n_before >= greatest($floor::integer, 1)
    and (
        $label = ''
        or windows.artist_id in (
            select tracks.artist_id
            from marts.track_features as tracks
            where tracks.label_id = $label
        )
    )
order by velocity desc, windows.artist_id asc
limit $n::integer
