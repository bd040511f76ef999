-- Listeners of the last 28 days of the log with their country, and each one's share of all plays of these days.
-- grain: user_id
-- rows: 0
-- columns:
--   user_id     listener (pseudonymous id)
--   country     ISO 3166-1 alpha-2 or unknown
--   n_plays     plays [count]
--   home_share  share of all plays [0..1]
-- checks:
--   n_plays >= 1
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.market_listeners) = (select coalesce(sum(n_plays), 0) from intermediate.recent_plays)
select
    plays.user_id,
    profiles.country,
    cast(sum(plays.n_plays) as bigint) as n_plays,
    1.0 * sum(plays.n_plays) / sum(sum(plays.n_plays)) over () as home_share
from intermediate.recent_plays as plays
inner join marts.listener_profile as profiles on plays.user_id = profiles.user_id
group by plays.user_id, profiles.country
