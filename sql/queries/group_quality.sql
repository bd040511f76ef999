-- For whom lists are good: a metric by group of listeners on the test window of the published run, under the rules for lists
-- as exported, and before any rule.
-- params:
--   metric  as in marts.group_metrics = ndcg
--   kind    gender, age_band, country, activity or mainstream = gender
with published as (
    select max(run_id) as run_id from marts.recommendations
),

found as (
    select
        metrics.group_name,
        case when contains(metrics.recommender, '+') then 1 else 0 end as is_ruled,
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
from found as exported
left join found as own on exported.group_name = own.group_name and own.is_ruled = 0
where exported.is_ruled = (select max(is_ruled) from found)
order by exported.value desc, exported.group_name asc
