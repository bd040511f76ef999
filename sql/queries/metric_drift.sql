-- A metric of one recommender, run by run, with its interval: the newest first.
-- params:
--   recommender  as in marts.run_metrics
--   metric       as in marts.run_metrics = ndcg
--   n            how many runs [count] = 30
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
