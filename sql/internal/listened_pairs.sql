-- What each listener's evidence for each recording adds up to in a window of days, how old it is and at what hour. Rounded,
-- so that the order in which threads add up weights can change neither the sign nor the last bit. An age counts from the
-- midnight that ends the window, in fractions of a day, since the order within a day is for models of sequences. The epoch
-- began on a Thursday, 72 hours into its week.
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
