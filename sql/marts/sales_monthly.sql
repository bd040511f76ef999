-- Sales and usages by month, service, territory, kind of use and recording, with revenue per currency. A report counts in
-- the month in which its period begins. Currencies are never added up, nor are kinds of use: a download is no stream.
-- Commercial models are. The catalogue's recording is the one with the ISRC; of several, the first by id.
-- grain: month, service, territory, use_type, recording_id, currency
-- rows: 0
-- columns:
--   month              first day of the month
--   service            service that reports
--   territory          territory as reported
--   use_type           kind of use as reported, such as OnDemandStream, null where not reported
--   recording_id       ISRC, or the service's own id where none is reported
--   currency           ISO 4217 code, null where not reported
--   track_id           recording of the catalogue, null where it has none with the ISRC
--   title              title as reported, null where none
--   artist             artist as reported, null where none
--   n_usages           units, negative where corrections exceed them [count]
--   revenue            revenue, null where unknown for every report [units of currency]
--   n_without_revenue  units whose revenue is unknown, and missing in revenue [count]
--   n_reports          reported rows that are added up [count]
--   n_overlapping      those whose period overlaps an earlier one of the same recording, model and use, so that units may be counted twice [count]
--   last_day           last day of the periods, in a later month where reports are longer than a month
-- checks:
--   n_reports >= 1
--   n_overlapping between 0 and n_reports
-- reconcile:
--   (select coalesce(sum(n_reports), 0) from marts.sales_monthly) = (select count(*) from staging.sales)
--   (select coalesce(abs(sum(n_usages)), 0) from (select n_usages from marts.sales_monthly union all select -n_usages from staging.sales) as both_sides) <= (select 1e-9 * coalesce(sum(abs(n_usages)), 0) from staging.sales)
--   (select count(*) from (select currency, sum(revenue) as difference from (select currency, revenue from marts.sales_monthly union all select currency, -revenue from staging.sales) as both_sides group by currency) as differences inner join (select currency, sum(abs(revenue)) as magnitude from staging.sales group by currency) as totals on differences.currency is not distinct from totals.currency where abs(differences.difference) > 1e-9 * totals.magnitude) = 0
with catalogue as (
    select
        upper(replace(isrc, '-', '')) as isrc,
        min(track_id) as track_id
    from staging.tracks
    where isrc is not null
    group by upper(replace(isrc, '-', ''))
),

reports as (
    select
        cast(date_trunc('month', period_start) as date) as month,
        period_start,
        period_end,
        service,
        territory,
        use_type,
        coalesce(isrc, resource_id) as recording_id,
        currency,
        isrc,
        title,
        artist,
        n_usages,
        revenue,
        max(period_end) over (
            partition by service, territory, commercial_model, use_type, resource_id
            order by period_start, period_end
            rows between unbounded preceding and 1 preceding
        ) as reported_until
    from staging.sales
)

select
    reports.month,
    reports.service,
    reports.territory,
    reports.use_type,
    reports.recording_id,
    reports.currency,
    min(catalogue.track_id) as track_id,
    min(reports.title) as title,
    min(reports.artist) as artist,
    sum(reports.n_usages) as n_usages,
    sum(reports.revenue) as revenue,
    sum(case when reports.revenue is null then reports.n_usages else 0 end) as n_without_revenue,
    count(*) as n_reports,
    sum(case when reports.reported_until >= reports.period_start then 1 else 0 end) as n_overlapping,
    max(reports.period_end) as last_day
from reports
left join catalogue on reports.isrc = catalogue.isrc
group by
    reports.month, reports.service, reports.territory, reports.use_type, reports.recording_id, reports.currency
