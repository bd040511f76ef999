-- Click-through of explored list positions: how many were played while the list was shown, by position, by policy, or by
-- whether the policy drew the recommender's own first choice; only positions whose days are over (see marts.feedback). The
-- 95 % interval is Wilson's, with positions counted as if independent ones: their number / the design effect of
-- listeners with several positions.
-- params:
--   by  slot, policy or choice = slot
with positions as (
    select
        user_id,
        reward,
        rank as slot,
        case
            when $by = 'slot' then 'position ' || rank
            when $by = 'policy' and policy = 'thompson' then 'Thompson sampling'
            when $by = 'policy' then policy
            when option_no = 1 then 'the recommender''s own choice'
            else 'another candidate'
        end as part
    from marts.feedback
    where is_complete
),

totals as (
    select
        part,
        min(slot) as slot,
        count(*) as n_positions,
        sum(reward)::bigint as n_played,
        avg(reward) as rate
    from positions
    group by part
),

listeners as (
    select
        positions.part,
        sum(positions.reward - totals.rate) as residual
    from positions
    inner join totals on positions.part = totals.part
    group by positions.part, positions.user_id
),

errors as (
    select
        part,
        count(*) / nullif(count(*) - 1, 0) * sum(residual * residual) as variance
    from listeners
    group by part
),

sizes as (
    select
        totals.part,
        totals.slot,
        totals.n_positions,
        totals.n_played,
        totals.rate,
        totals.n_positions
        / greatest(coalesce(errors.variance / nullif(totals.n_positions * totals.rate * (1 - totals.rate), 0), 1), 1) as n
    from totals
    inner join errors on totals.part = errors.part
)

select
    part,
    n_positions,
    n_played,
    rate,
    greatest(
        (rate + 1.96 * 1.96 / (2 * n) - 1.96 * sqrt(rate * (1 - rate) / n + 1.96 * 1.96 / (4 * n * n)))
        / (1 + 1.96 * 1.96 / n),
        0
    ) as low,
    least(
        (rate + 1.96 * 1.96 / (2 * n) + 1.96 * sqrt(rate * (1 - rate) / n + 1.96 * 1.96 / (4 * n * n)))
        / (1 + 1.96 * 1.96 / n),
        1
    ) as high
from sizes
order by case when $by = 'slot' then slot else 0 end asc, rate desc, part asc
