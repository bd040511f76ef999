-- Preference weight of each pair of listener and recording in a window of days, with its age and hour of the week.
-- Weights are rounded, so that the order in which threads sum them changes neither sign nor last digit. Age is the time
-- from the last interaction to the midnight that ends the window, in fractions of a day, because sequence models use
-- the order within a day. 1970-01-01 was a Thursday, so hour 0 of the epoch is hour 72 of its week.
-- params:
--   since  first day
--   until  last day
select
    user_id,
    track_id,
    round(sum(weight), 6) as strength,
    (
        (
            select epoch(timezone(build.time_zone, cast($until as timestamp) + interval 1 day))
            from meta.build as build
        )
        - epoch(max(last_listened_at))
    ) / 86400 as age_days,
    cast(floor(epoch(max(last_local_at)) / 3600 + 72) as bigint) % 168 as hour_of_week
from marts.interactions_daily
where listen_date between $since and $until
group by user_id, track_id
