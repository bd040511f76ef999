-- For whom lists are good: a metric by group of listeners on the test window of the published run, as exported.
-- params:
--   metric  as in marts.group_metrics = ndcg
--   kind    gender, age_band, country, activity or mainstream = gender
with published as (
    select max(run_id) as run_id from marts.recommendations
)

select
    metrics.group_name,
    metrics.value,
    metrics.low,
    metrics.high,
    metrics.n_users
from marts.group_metrics as metrics
inner join published on metrics.run_id = published.run_id
where
    metrics.metric = $metric
    and metrics.group_kind = $kind
    and ends_with(metrics.recommender, '+rerank')
    and metrics.value is not null
order by metrics.value desc
