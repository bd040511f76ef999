-- Sales and usages as services report them: the newest row per service, period, territory, model, use and recording, of
-- periods that began by the run's date.
-- grain: service, period_start, period_end, territory, commercial_model, use_type, resource_id
-- rows: 0
-- columns:
--   service           service that reports
--   period_start      first day of the period
--   period_end        last day of the period
--   territory         territory as reported
--   commercial_model  model as reported, such as SubscriptionModel
--   use_type          kind of use as reported, such as OnDemandStream, null where not reported
--   resource_id       recording or release by the service's own id
--   isrc              ISRC, upper case without hyphens, null where not reported
--   title             title as reported, null where none
--   artist            artist as reported, null where none
--   n_usages          units: streams, downloads or other uses, negative for corrections [count]
--   revenue           revenue, null where unknown [units of currency]
--   currency          ISO 4217 code, null where not reported
--   revenue_basis     how revenue was computed: price, share, mixed or unknown
-- checks:
--   n_usages is not null
--   revenue_basis in ('price', 'share', 'mixed', 'unknown')
-- reconcile:
--   (select count(*) from staging.sales) = (select count(*) from (select distinct service, period_start, period_end, territory, commercial_model, use_type, resource_id from raw.sales_versions) as reported)
select
    service,
    period_start,
    period_end,
    territory,
    commercial_model,
    use_type,
    resource_id,
    upper(replace(isrc, '-', '')) as isrc,
    title,
    artist,
    n_usages,
    revenue,
    currency,
    revenue_basis
from raw.sales
