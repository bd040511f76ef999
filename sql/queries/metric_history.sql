-- A metric of every recommender per run.
-- params:
--   metric  a metric of marts.run_metrics = ndcg
--   k       length of the list evaluated, any where empty [count] =
select
    run_id,
    cast(left(run_id, 10) as date) as run_date,
    recommender,
    k,
    value,
    low,
    high,
    n_users
from marts.run_metrics
where metric = $metric and ($k = '' or k = try_cast($k as integer)) and not contains(recommender, '+')
order by run_id desc, value desc, recommender asc
