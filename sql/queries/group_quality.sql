-- Quality of lists by group of listeners, on the test window of the published run: with rerank rules as exported, and
-- before any rule.
-- params:
--   metric  a metric of marts.group_metrics = ndcg
--   kind    gender, age_band, country, activity or mainstream = gender
with published as (
    select max(run_id) as run_id from marts.recommendations
),

quality as (
    select
        metrics.group_name,
        case when contains(metrics.recommender, '+') then 1 else 0 end as is_reranked,
        metrics.value,
        metrics.low,
        metrics.high,
        metrics.n_users
    from marts.group_metrics as metrics
    inner join published on metrics.run_id = published.run_id
    where metrics.metric = $metric and metrics.group_kind = $kind and metrics.value is not null
)

select
    exported.group_name,
    exported.value,
    exported.low,
    exported.high,
    own.value as value_before_rules,
    exported.n_users
from quality as exported
left join quality as own on exported.group_name = own.group_name and own.is_reranked = 0
where exported.is_reranked = (select max(is_reranked) from quality)
order by exported.value desc, exported.group_name asc
