-- Streams that a service reports and the plays of our own logs, by month, territory and recording, the largest difference
-- first: months, and territories of them, that any of its reports covers. Units alone, no money. What only one of both has
-- is there with 0 of the other; reported recordings that the catalogue lacks have no track_id. Listeners of unknown country
-- are the territory `unknown`; usages of unknown kind are in n_unknown_use, and not in the difference.
-- params:
--   service  service that reports
--   month    month, such as 2026-01 or by any of its days, all where empty =
--   n        rows at most [count] = 100
with reported as (
    select
        month,
        territory,
        track_id,
        case when track_id is null then recording_id end as reported_id,
        min(title) as title,
        sum(case when contains(lower(use_type), 'stream') then n_usages else 0 end) as n_reported,
        sum(case when use_type is null then n_usages else 0 end) as n_unknown_use
    from marts.sales_monthly
    where
        service = $service
        and ($month = '' or substring(cast(month as varchar), 1, 7) = substring($month, 1, 7))
    group by month, territory, track_id, case when track_id is null then recording_id end
),

covered as (
    select
        month,
        territory
    from reported
    union distinct
    select
        month,
        'unknown' as territory
    from reported
),

both_sides as (
    select
        month,
        territory,
        track_id,
        reported_id,
        title,
        n_reported,
        n_unknown_use,
        0 as n_plays
    from reported
    where n_reported != 0 or n_unknown_use != 0
    union all
    select
        covered.month,
        covered.territory,
        daily.track_id,
        cast(null as varchar) as reported_id,
        cast(null as varchar) as title,
        0 as n_reported,
        0 as n_unknown_use,
        daily.n_plays
    from marts.interactions_daily as daily
    inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
    inner join covered
        on listeners.country = covered.territory and date_trunc('month', daily.listen_date) = covered.month
    where daily.n_plays > 0
)

select
    both_sides.month,
    both_sides.territory,
    both_sides.track_id,
    both_sides.reported_id,
    coalesce(min(tracks.title), min(both_sides.title)) as title,
    sum(both_sides.n_reported) as n_reported,
    cast(sum(both_sides.n_plays) as bigint) as n_plays,
    sum(both_sides.n_reported - both_sides.n_plays) as difference,
    sum(both_sides.n_unknown_use) as n_unknown_use
from both_sides
left join marts.track_features as tracks on both_sides.track_id = tracks.track_id
group by both_sides.month, both_sides.territory, both_sides.track_id, both_sides.reported_id
order by abs(difference) desc, both_sides.month desc, both_sides.territory asc, both_sides.track_id asc, reported_id asc
limit $n::integer
