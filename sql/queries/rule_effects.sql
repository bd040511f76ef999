-- Effect of each rerank rule on the test window of the published run: before any rule, under each rule, and under all
-- rules.
-- params:
--   metric  a metric of marts.run_metrics = ndcg
with published as (
    select max(run_id) as run_id from marts.recommendations
),

reranked as (
    select distinct split_part(metrics.recommender, '+', 1) as recommender
    from marts.run_metrics as metrics
    inner join published on metrics.run_id = published.run_id
    where contains(metrics.recommender, '+')
)

select
    case
        when metrics.recommender = reranked.recommender then 'before: no rule'
        when ends_with(metrics.recommender, '+rerank') then 'all rules'
        else replace(split_part(metrics.recommender, '+', 2), '_', ' ')
    end as lists,
    metrics.value,
    metrics.low,
    metrics.high,
    metrics.n_users
from marts.run_metrics as metrics
inner join published on metrics.run_id = published.run_id
inner join reranked
    on metrics.recommender = reranked.recommender or starts_with(metrics.recommender, reranked.recommender || '+')
where metrics.metric = $metric
order by metrics.recommender <> reranked.recommender asc, ends_with(metrics.recommender, '+rerank') asc, lists asc
