-- Quality of lists by group of listeners and by group of recordings: metrics on the test window of each run. Groups are
-- those of that run: activity, preference for popular music and popularity of recordings count its training window, not
-- the test days or what came later; ages of recordings count months to the last day of its log.
-- reason: the query group_quality and analysts read it; raw tables are dropped when the build ends
-- grain: run_id, recommender, metric, group_kind, group_name, k
-- rows: 0
-- columns:
--   run_id       run
--   recommender  as in marts.run_metrics
--   metric       for listeners as in marts.run_metrics, or ndcg_gap (the group's nDCG minus that of all others); for recordings recall or exposure
--   group_kind   for listeners gender, age_band, country, activity or mainstream; for recordings a kind of marts.track_groups, or novelty
--   group_name   the group, or 'all' for the kind as a whole
--   k            length of the list evaluated [count]
--   value        value of the metric, null where fewer than ten listeners contribute
--   low          lower end of the 95 % bootstrap interval over listeners, null where there is none
--   high         upper end, null where there is none
--   n_users      listeners who contribute [count]
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
