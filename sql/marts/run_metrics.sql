-- Quality of each recommender on the test window, per run. Recommenders are evaluated on days that they were not
-- trained on.
-- reason: the queries metric_history, metric_drift and rule_effects read it; raw tables are dropped when the build ends
-- grain: run_id, recommender, metric, k
-- rows: 0
-- columns:
--   run_id       run
--   recommender  recommender as set in the run's recipe; champion: the published run before; name+rule: its lists under a rerank rule
--   metric       ndcg, recall and others, as documented in recsys/evaluate; ndcg_price: share of the nDCG lost to a rule
--   k            length of the list evaluated [count]
--   value        mean over listeners
--   low          lower end of the 95 % interval, null where the metric has none
--   high         upper end, null where the metric has none
--   n_users      listeners evaluated [count]
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
