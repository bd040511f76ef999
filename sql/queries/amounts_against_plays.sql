-- What a service reports to have paid for streams beside what our own plays of the month would earn at its mean rate, by
-- month, territory and currency, the largest difference first. A territory without plays, or paid in several currencies,
-- has no amount of plays: its plays have one rate only. Usages without revenue are counted apart; downloads are left out.
-- params:
--   service  service that reports
--   month    month, such as 2026-01 or by any of its days, all where empty =
--   n        rows at most [count] = 100
with reported as (
    select
        month,
        territory,
        currency,
        sum(n_usages - n_without_revenue) as n_paid,
        sum(n_without_revenue) as n_without_revenue,
        sum(revenue) as revenue
    from marts.sales_monthly
    where
        service = $service
        and contains(lower(use_type), 'stream')
        and ($month = '' or substring(cast(month as varchar), 1, 7) = substring($month, 1, 7))
    group by month, territory, currency
),

paid as (
    select
        *,
        case when n_paid > 0 then revenue / n_paid end as rate,
        count(*) filter (where revenue is not null) over (partition by month, territory) as n_currencies
    from reported
),

played as (
    select
        listeners.country as territory,
        cast(date_trunc('month', daily.listen_date) as date) as month,
        cast(sum(daily.n_plays) as bigint) as n_plays
    from marts.interactions_daily as daily
    inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
    group by listeners.country, date_trunc('month', daily.listen_date)
),

compared as (
    select
        paid.*,
        coalesce(played.n_plays, 0) as n_plays,
        case when paid.n_currencies = 1 then played.n_plays * paid.rate end as amount_of_plays
    from paid
    left join played on paid.month = played.month and paid.territory = played.territory
)

select
    month,
    territory,
    currency,
    n_paid,
    revenue,
    1000 * rate as rate_per_1000,
    n_plays,
    amount_of_plays,
    revenue - amount_of_plays as difference,
    n_without_revenue
from compared
order by abs(revenue - amount_of_plays) desc nulls last, month desc, territory asc, currency asc
limit $n::integer
