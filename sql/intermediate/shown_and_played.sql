-- Recordings on each listener's published list and recordings that the listener played, one row each. The exposure of a
-- list position is 1 / log2(1 + rank).
-- grain: none
-- rows: 0
-- columns:
--   user_id   listener (pseudonymous id)
--   track_id  recording
--   exposure  exposure of the list position, 0 for plays
--   n_plays   plays over all days, 0 for a list position [count]
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
