-- What may be done with each recording of the catalogue, where and when, as sources state it: by the recording's id, or
-- by its ISRC.
-- grain: track_id, source, licence_id, term_no, use_type, territory
-- rows: 0
-- columns:
--   track_id    recording of the catalogue
--   source      who states it
--   licence_id  number of the licence at the source
--   term_no     number of the term within the licence
--   use_type    stream, download, broadcast, synchronisation, identification, training or other
--   territory   ISO 3166-1 alpha-2; WW holds wherever the same term and use has no row of its own
--   is_granted  whether the use is permitted; false in a country that is left out
--   first_day   first day of the term; 0001-01-01 where none is stated
--   last_day    last day of the term; 9999-12-31 where none is stated
--   held_from   day of the registration where it replaced another one, of which nothing is kept; else 0001-01-01
-- checks:
--   is_granted is not null
-- reconcile:
--   (select count(*) from (select distinct source, licence_id from marts.track_licences) as linked) <= (select count(*) from (select distinct source, licence_id from staging.licences) as stated)
with names as (
    select
        track_id,
        concat('id ', track_id) as name
    from staging.tracks
    union all
    select
        track_id,
        concat('isrc ', upper(replace(isrc, '-', ''))) as name
    from staging.tracks
    where isrc is not null
)

select
    names.track_id,
    licences.source,
    licences.licence_id,
    licences.term_no,
    licences.use_type,
    licences.territory,
    licences.is_granted,
    licences.first_day,
    licences.last_day,
    licences.held_from
from staging.licences as licences
inner join names
    on names.name = case
        when licences.track_id is not null then concat('id ', licences.track_id)
        else concat('isrc ', licences.isrc)
    end
