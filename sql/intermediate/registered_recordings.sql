-- Recordings of works, as sources link them: links of the newest registration per source and work, of which a later one
-- without them withdraws them. A link without a time holds until its source states a link of the work with one. Of one
-- registration that was delivered again, those of the newest delivery.
-- grain: source, work_id, isrc, track_id
-- rows: 0
-- columns:
--   source    who states it
--   work_id   number of the work at the source
--   isrc      ISRC in upper case without hyphens, null where none
--   track_id  recording of the catalogue, null where only the ISRC is stated
-- checks:
--   source is not null
--   isrc is not null or track_id is not null
-- reconcile:
--   (select count(*) from intermediate.registered_recordings) <= (select count(*) from (select distinct source, work_id, isrc, track_id from raw.work_recordings_versions) as stated)
with stated as (
    select
        links.source,
        links.work_id,
        links.isrc,
        links.track_id,
        links.registered_at,
        deliveries.delivery_no,
        max(links.registered_at) over (partition by links.source, links.work_id) as newest_link_at
    from raw.work_recordings_versions as links
    inner join staging.deliveries as deliveries on links.batch = deliveries.batch
),

current_links as (
    select
        stated.source,
        stated.work_id,
        stated.isrc,
        stated.track_id,
        stated.newest_link_at is not null
        and rank() over (partition by stated.source, stated.work_id order by stated.delivery_no desc) > 1 as is_replaced
    from stated
    left join intermediate.work_registrations as newest on stated.source = newest.source and stated.work_id = newest.work_id
    where stated.newest_link_at is null or stated.registered_at = newest.registered_at
)

select distinct
    source,
    work_id,
    isrc,
    track_id
from current_links
where not is_replaced and (isrc is not null or track_id is not null)
