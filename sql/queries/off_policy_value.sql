-- Estimated reward per explored list position of another policy, from the logged choices and their propensities:
-- inverse propensity score (ips), unbiased, and its self-normalised form (snips), of lower variance. The error is that
-- of the delta method, by listener. Where few decisions carry the weight (n_effective under 30, mean_weight far from
-- 1), use the interval of recsys/feedback/off_policy.py.
-- params:
--   target  policy to evaluate: recommender (its first choice among the options) or alike (every option with equal probability) = recommender
with decisions as (
    select
        user_id,
        reward,
        case
            when $target = 'alike' then 1 / n_options
            when option_no = 1 then 1
            else 0
        end / propensity as weight
    from marts.feedback
    where is_complete
),

totals as (
    select
        count(*) as n,
        count(distinct user_id) as n_listeners,
        sum(weight) as weight,
        sum(weight) * sum(weight) / nullif(sum(weight * weight), 0) as n_effective,
        sum(weight * reward) / count(*) as ips,
        sum(weight * reward) / nullif(sum(weight), 0) as snips
    from decisions
),

residuals as (
    select
        decisions.user_id,
        sum(decisions.weight * decisions.reward - totals.ips) as ips,
        sum(decisions.weight * (decisions.reward - totals.snips)) as snips
    from decisions
    cross join totals
    group by decisions.user_id
),

errors as (
    select
        sqrt(count(*) / nullif(count(*) - 1, 0) * sum(ips * ips)) as ips,
        sqrt(count(*) / nullif(count(*) - 1, 0) * sum(snips * snips)) as snips
    from residuals
)

select
    'ips' as estimator,
    totals.ips as value,
    errors.ips / totals.n as error,
    totals.n,
    totals.n_listeners,
    totals.n_effective,
    totals.weight / nullif(totals.n, 0) as mean_weight
from totals
cross join errors
union all
select
    'snips' as estimator,
    totals.snips as value,
    errors.snips / nullif(totals.weight, 0) as error,
    totals.n,
    totals.n_listeners,
    totals.n_effective,
    totals.weight / nullif(totals.n, 0) as mean_weight
from totals
cross join errors
order by estimator
