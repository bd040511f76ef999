-- A metric of one recommender per run, with its interval, newest run first.
-- params:
--   recommender  a recommender of marts.run_metrics
--   metric       a metric of marts.run_metrics = ndcg
--   n            runs at most [count] = 30
select
    run_id,
    k,
    value,
    low,
    high,
    n_users
from marts.run_metrics
where recommender = $recommender and metric = $metric
order by run_id desc, k asc
limit $n::integer
