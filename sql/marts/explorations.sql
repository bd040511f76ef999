-- List positions that an exploration policy filled at random, with the probability of each choice (its propensity).
-- reason: marts.feedback and analysts who audit propensities read it; raw tables are dropped when the build ends
-- grain: run_id, user_id, rank
-- rows: 0
-- columns:
--   run_id      run that made the list
--   served_on   day on which the list was shown
--   until       last day on which a play counts as a reward
--   user_id     listener (pseudonymous id)
--   rank        position in the list, from 1 [count]
--   track_id    recording that was drawn
--   policy      thompson or linucb
--   propensity  exact probability with which this recording was drawn
--   option_no   position among the options in the recommender's order; 1 is the recommender's own choice [count]
--   n_options   options to draw from [count]
--   features    features that the policy saw, as listed in recsys/feedback/exploration.py
-- checks:
--   propensity > 0 and propensity <= 1
--   option_no between 1 and n_options
-- reconcile:
--   (select count(*) from marts.explorations) = (select count(*) from raw.explorations)
select
    run_id,
    served_on,
    until,
    user_id,
    rank,
    track_id,
    policy,
    propensity,
    option_no,
    n_options,
    features
from raw.explorations
