-- What a listener's plays of a recording tell about hearing it again: one row per pair with a play up to a day; track_id
-- is the representative of the recording, whose copies count as one. Each day with plays is an event; its age counts in
-- days, and in the listener's own plays of anything since then. Activation is the sum of plays / sqrt(1 + age): a play
-- counts less as it grows older, fast at first and slowly later.
-- params:
--   until  last day
with days as (
    select
        listens.user_id,
        coalesce(links.same_as, listens.track_id) as track_id,
        listens.listen_date,
        sum(listens.n_plays) as n_plays,
        max(listens.last_listened_at) as last_listened_at
    from marts.interactions_daily as listens
    left join marts.duplicate_links as links on listens.track_id = links.track_id
    where listens.listen_date <= $until and listens.n_plays > 0
    group by listens.user_id, coalesce(links.same_as, listens.track_id), listens.listen_date
),

events as (
    select
        user_id,
        track_id,
        n_plays,
        (epoch(cast($until as timestamp)) - epoch(cast(listen_date as timestamp))) / 86400 as age_days,
        sum(n_plays) over (
            partition by user_id
            order by last_listened_at desc, track_id asc
            rows between unbounded preceding and current row
        ) - n_plays as n_later
    from days
)

select
    user_id,
    track_id,
    cast(sum(n_plays) as bigint) as n_plays,
    count(*) as n_days,
    min(age_days) as age_days,
    cast(min(n_later) as bigint) as n_later,
    (max(age_days) - min(age_days)) / greatest(count(*) - 1, 1) as gap_days,
    round(sum(n_plays / sqrt(1e0 + n_later)), 6) as rank_activation,
    round(sum(n_plays / sqrt(1e0 + age_days)), 6) as day_activation
from events
group by user_id, track_id
