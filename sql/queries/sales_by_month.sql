-- Units and revenue by month, territory, kind of use, recording and currency, newest month and most units first. Revenue
-- is of one currency in each row.
-- params:
--   from       first month, by any of its days, the first reported where empty =
--   to         last month, by any of its days, the last reported where empty =
--   service    service, all where empty =
--   territory  territory as reported, all where empty =
--   currency   ISO 4217 code, all where empty =
--   track_id   recording of the catalogue, all where empty =
--   n          rows at most [count] = 100
select
    sales.month,
    sales.territory,
    sales.use_type,
    sales.recording_id,
    min(coalesce(tracks.title, sales.title)) as title,
    min(coalesce(tracks.artist_name, sales.artist)) as artist,
    sum(sales.n_usages) as n_usages,
    sum(sales.revenue) as revenue,
    sales.currency,
    sum(sales.n_without_revenue) as n_without_revenue,
    count(distinct sales.service) as n_services,
    cast(sum(sales.n_overlapping) as bigint) as n_overlapping,
    sales.track_id
from marts.sales_monthly as sales
left join marts.track_features as tracks on sales.track_id = tracks.track_id
where
    ($from = '' or sales.month >= date_trunc('month', cast(nullif($from, '') as date)))
    and ($to = '' or sales.month <= cast(nullif($to, '') as date))
    and ($service = '' or sales.service = $service)
    and ($territory = '' or sales.territory = $territory)
    and ($currency = '' or sales.currency = $currency)
    and ($track_id = '' or sales.track_id = $track_id)
group by sales.month, sales.territory, sales.use_type, sales.recording_id, sales.track_id, sales.currency
order by sales.month desc, n_usages desc, sales.recording_id asc, sales.territory asc, sales.use_type asc, sales.currency asc
limit $n::integer
