-- What each listener is recommended, best first, as exported by the run named in run_id.
-- reason: exposure marts, queries and pages read it, gaps of older runs filled; raw tables are dropped when the build ends
-- grain: user_id, rank
-- rows: 0
-- columns:
--   run_id           the run that made the list
--   user_id          listener (pseudonymous id)
--   rank             place in the list, from 1 [count]
--   track_id         recording
--   score            the recommender's score: comparable within one list only
--   recommender      the recommender that put it there
--   reason           why, for a person to read
--   reason_track_id  the recording the reason names, null where it names none
--   is_explored      whether a policy drew it to find out if it is liked (see marts.explorations)
--   propensity       probability with which it was drawn, 1 where nothing was
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
