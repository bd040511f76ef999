-- The published list of each listener, best first, as exported by the run named in run_id.
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
--   reason_kind      exploration, artist (a recording that the listener played, of the same artist), recording (one of another artist), group (popular in the listener's country or age band) or popularity; the first that applies
--   reason_track_id  recording that the reason names, null where it names none
--   is_explored      whether an exploration policy drew it (see marts.explorations)
--   propensity       probability with which it was drawn, 1 where not drawn
-- checks:
--   rank >= 1
--   reason <> ''
--   reason_kind in ('exploration', 'artist', 'recording', 'group', 'popularity')
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
    coalesce(
        reason_kind,
        case
            when is_explored then 'exploration'
            when reason_track_id is not null then 'recording'
            else 'popularity'
        end
    ) as reason_kind,
    reason_track_id,
    coalesce(is_explored, false) as is_explored,
    coalesce(propensity, 1) as propensity
from raw.recommendations
