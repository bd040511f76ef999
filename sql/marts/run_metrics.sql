-- How good each recommender was on the test window, run by run. Models are judged on days they were not trained on.
-- reason: the queries metric_history, metric_drift and rule_effects read it; raw tables are dropped when the build ends
-- grain: run_id, recommender, metric, k
-- rows: 0
-- columns:
--   run_id       run
--   recommender  recommender, as tonight's recipe sets it; champion: in charge before; name+rule: its lists under a rule
--   metric       ndcg, recall ... as documented in recsys/evaluate; ndcg_price: share of the ndcg given up for a rule
--   k            length of the list judged [count]
--   value        mean over listeners
--   low          lower end of the 95 % interval, null where the metric has none
--   high         upper end
--   n_users      listeners judged [count]
-- checks:
--   low is null or low <= value
--   high is null or value <= high
-- reconcile:
--   (select count(*) from marts.run_metrics) = (select count(*) from raw.run_metrics)
select
    run_id,
    recommender,
    metric,
    k,
    value,
    low,
    high,
    n_users
from raw.run_metrics
