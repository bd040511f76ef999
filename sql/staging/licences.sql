-- What sources permit to be done with recordings: the terms of the newest registration per source and licence, which
-- replaces all earlier ones. Of one registration that was delivered again, those of the newest delivery.
-- grain: source, licence_id, term_no, use_type, territory
-- rows: 0
-- columns:
--   source         who states it
--   licence_id     number of the licence at the source
--   term_no        number of the term within the licence
--   use_type       stream, download, broadcast, synchronisation, identification, training or other
--   territory      ISO 3166-1 alpha-2; WW holds wherever the same term and use has no row of its own
--   isrc           ISRC in upper case without hyphens, null where only the recording's id is stated
--   track_id       recording of the catalogue, null where only the ISRC is stated
--   is_granted     whether the use is permitted; false in a country that is left out
--   first_day      first day of the term; 0001-01-01 where none is stated
--   last_day       last day of the term; 9999-12-31 where none is stated
--   held_from      day of the registration where it replaced another one, of which nothing is kept; else 0001-01-01
--   registered_at  time of the registration (UTC)
-- checks:
--   is_granted is not null
-- reconcile:
--   (select count(*) from (select distinct source, licence_id from staging.licences) as stated) = (select count(*) from (select distinct source, licence_id from raw.licences_versions) as delivered)
with newest as (
    select
        source,
        licence_id,
        max(registered_at) as registered_at,
        case
            when min(registered_at) < max(registered_at) then cast(max(registered_at) as date) else date '0001-01-01'
        end as held_from
    from raw.licences
    group by source, licence_id
),

numbered as (
    select
        licences.source,
        licences.licence_id,
        licences.term_no,
        licences.use_type,
        licences.territory,
        licences.isrc,
        licences.track_id,
        licences.is_granted,
        coalesce(licences.valid_from, date '0001-01-01') as first_day,
        coalesce(licences.valid_until, date '9999-12-31') as last_day,
        newest.held_from,
        licences.registered_at,
        rank() over (partition by licences.source, licences.licence_id order by deliveries.delivery_no desc) as delivery_rank,
        row_number() over (
            partition by licences.source, licences.licence_id, licences.term_no, licences.use_type, licences.territory
            order by deliveries.delivery_no desc, licences.batch_no desc
        ) as newest_no
    from raw.licences_versions as licences
    inner join newest
        on
            licences.source = newest.source
            and licences.licence_id = newest.licence_id
            and licences.registered_at = newest.registered_at
    inner join staging.deliveries as deliveries on licences.batch = deliveries.batch
)

select
    source,
    licence_id,
    term_no,
    use_type,
    territory,
    isrc,
    track_id,
    is_granted,
    first_day,
    last_day,
    held_from,
    registered_at
from numbered
where delivery_rank = 1 and newest_no = 1
