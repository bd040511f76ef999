-- Every place of a published list that a policy drew, with its dice.
-- reason: marts.feedback and analysts who audit propensities read it; raw tables are dropped when the build ends
-- grain: run_id, user_id, rank
-- rows: 0
-- columns:
--   run_id      the run that drew
--   served_on   day on which the list was shown
--   until       last day on which a play counts
--   user_id     listener (pseudonymous id)
--   rank        place in the list, from 1 [count]
--   track_id    recording drawn
--   policy      thompson or linucb
--   propensity  exact probability with which this recording was drawn, above 0
--   option_no   which of the options left it was, in the recommender's order; 1: its own choice [count]
--   n_options   options that there were [count]
--   features    what described it to the policy, as listed in recsys/feedback/exploration.py
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
