-- For whom, and of whom, lists are good: metrics on the test window by group of listeners and of recordings, run by run.
-- reason: the query group_quality and analysts read it; raw tables are dropped when the build ends
-- grain: run_id, recommender, metric, group_kind, group_name, k
-- rows: 0
-- columns:
--   run_id       run
--   recommender  as in marts.run_metrics
--   metric       of listeners: as in marts.run_metrics, ndcg_gap: the group's less all others'; of recordings: recall, exposure
--   group_kind   of listeners gender, age_band, activity ...; of recordings as in marts.track_groups, and novelty
--   group_name   the group; 'all': the kind as a whole
--   k            places that count [count]
--   value        null where fewer than ten listeners are evidence
--   low          lower end of the 95 % interval, listeners drawn again
--   high         upper end
--   n_users      listeners who are evidence [count]
-- checks:
--   low is null or low <= value
--   high is null or value <= high
--   value is null or n_users >= 10
-- reconcile:
--   (select count(*) from marts.group_metrics) = (select count(*) from raw.group_metrics)
select
    run_id,
    recommender,
    metric,
    group_kind,
    group_name,
    k,
    value,
    low,
    high,
    n_users
from raw.group_metrics
