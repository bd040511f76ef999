-- Per listener: plays, summed exposure of the list's positions, and share of all plays minus share of all exposure.
-- grain: user_id
-- rows: 0
-- columns:
--   user_id       listener (pseudonymous id)
--   exposure      exposure of the positions on their list, summed
--   n_plays       plays [count]
--   plays_beyond  share of all plays minus share of all exposure, null where there are no plays or no lists
-- checks:
--   exposure >= 0 and n_plays >= 0
-- reconcile:
--   (select count(*) from intermediate.listener_shares) = (select count(distinct user_id) from intermediate.shown_and_played)
select
    user_id,
    sum(exposure) as exposure,
    cast(sum(n_plays) as bigint) as n_plays,
    sum(n_plays) / nullif(sum(sum(n_plays)) over (), 0)
    - sum(exposure) / nullif(sum(sum(exposure)) over (), 0) as plays_beyond
from intermediate.shown_and_played
group by user_id
