-- Recordings whose weekly listeners grew the most within 14 days, from a base worth the name.
-- A listener of a week is counted once, so one person on repeat does not make a recording rise. The last seven days are
-- held against the seven days that ended a week before them.
-- params:
--   as_of          last day looked at, the last in the log where empty =
--   min_listeners  weekly listeners it must have had before [count] = 20
--   min_growth     growth it must show [x] = 3.0
with last_day as (
    select coalesce(cast(nullif($as_of, '') as date), max(listen_date)) as day
    from marts.track_daily
),

weeks as (
    select
        daily.track_id,
        count(distinct case when daily.listen_date > last_day.day - 7 then daily.user_id end) as n_now,
        count(distinct case when daily.listen_date <= last_day.day - 14 then daily.user_id end) as n_before
    from marts.interactions_daily as daily
    cross join last_day
    where daily.listen_date between last_day.day - 20 and last_day.day and daily.n_plays > 0
    group by daily.track_id
)

select
    weeks.track_id,
    tracks.title,
    tracks.artist_name,
    tracks.release_date,
    weeks.n_before,
    weeks.n_now,
    round(weeks.n_now / weeks.n_before, 2) as growth
from weeks
inner join marts.track_features as tracks on weeks.track_id = tracks.track_id
where weeks.n_before >= $min_listeners::integer and weeks.n_now >= $min_growth::double * weeks.n_before
order by growth desc, weeks.track_id asc
