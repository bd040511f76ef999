-- Plays of each listener of an artist or a label per week, Monday to Sunday, by who chose the recording.
-- grain: owner, owner_id, user_id, week_start
-- rows: 0
-- columns:
--   owner                artist or label
--   owner_id             the artist or the label
--   user_id              listener (pseudonymous id)
--   week_start           Monday of the week (market time zone)
--   n_plays              plays [count]
--   n_active_plays       plays chosen by the listener [count]
--   n_algorithmic_plays  plays chosen by a recommender [count]
--   last_day_before      last day before the week with a play, null where there is none
-- checks:
--   n_plays >= 1
--   last_day_before is null or last_day_before < week_start
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.owner_weeks where owner = 'label') = (select coalesce(sum(daily.n_plays), 0) from marts.interactions_daily as daily inner join intermediate.track_owners as owners on daily.track_id = owners.track_id where owners.owner = 'label')
with weeks as (
    select
        owners.owner,
        owners.owner_id,
        daily.user_id,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        max(daily.listen_date) as last_day,
        cast(sum(daily.n_plays) as bigint) as n_plays,
        cast(sum(daily.n_active_plays) as bigint) as n_active_plays,
        cast(sum(daily.n_algorithmic_plays) as bigint) as n_algorithmic_plays
    from marts.interactions_daily as daily
    inner join intermediate.track_owners as owners on daily.track_id = owners.track_id
    where daily.n_plays > 0
    group by owners.owner, owners.owner_id, daily.user_id, cast(date_trunc('week', daily.listen_date) as date)
)

select
    owner,
    owner_id,
    user_id,
    week_start,
    n_plays,
    n_active_plays,
    n_algorithmic_plays,
    lag(last_day) over (partition by owner, owner_id, user_id order by week_start) as last_day_before
from weeks
