-- The recordings on each listener's published list, and those that they played. Exposure of a place is 1 / log2(1 + rank).
-- grain: none
-- rows: 0
-- columns:
--   user_id   listener (pseudonymous id)
--   track_id  recording
--   exposure  exposure of the place, 0 for plays
--   n_plays   plays over all days, 0 for a place on a list [count]
-- checks:
--   exposure > 0 or n_plays > 0
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.shown_and_played) = (select coalesce(sum(n_plays), 0) from marts.interactions)
select
    user_id,
    track_id,
    ln(2) / ln(1 + rank) as exposure,
    0 as n_plays
from marts.recommendations
union all
select
    user_id,
    track_id,
    0 as exposure,
    n_plays
from marts.interactions
where n_plays > 0
