-- The published list of each listener, best first, as exported by the run named in run_id.
-- reason: queries, pages and exposure marts read it, with gaps of older runs filled; raw tables are dropped when the build ends
-- grain: user_id, rank
-- rows: 0
-- columns:
--   run_id           run that made the list
--   user_id          listener (pseudonymous id)
--   rank             position in the list, from 1 [count]
--   track_id         recording
--   score            score of the recommender, comparable within one list only
--   recommender      recommender that chose the recording
--   reason           reason in words
--   reason_track_id  recording that the reason names, null where it names none
--   is_explored      whether an exploration policy drew it (see marts.explorations)
--   propensity       probability with which it was drawn, 1 where not drawn
-- checks:
--   rank >= 1
--   reason <> ''
--   propensity > 0 and propensity <= 1
-- reconcile:
--   (select count(*) from marts.recommendations) = (select count(*) from raw.recommendations)
select
    run_id,
    user_id,
    rank,
    track_id,
    score,
    recommender,
    reason,
    reason_track_id,
    coalesce(is_explored, false) as is_explored,
    coalesce(propensity, 1) as propensity
from raw.recommendations
