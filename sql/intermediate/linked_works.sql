-- Which recordings of the catalogue are of which works: by the recording's id, or by its ISRC.
-- grain: track_id, work_key
-- rows: 0
-- columns:
--   track_id  recording of the catalogue
--   work_key  the work
--   title     a title of the work, the first by name, null where none is known
-- checks:
--   work_key is not null
-- reconcile:
--   (select count(*) from intermediate.linked_works) <= (select count(*) from intermediate.registered_recordings) * (select count(*) + 1 from staging.tracks)
with catalogue as (
    select
        track_id,
        upper(replace(isrc, '-', '')) as isrc
    from staging.tracks
),

links as (
    select
        catalogue.track_id,
        links.source,
        links.work_id
    from intermediate.registered_recordings as links
    inner join catalogue on links.track_id = catalogue.track_id
    union distinct
    select
        catalogue.track_id,
        links.source,
        links.work_id
    from intermediate.registered_recordings as links
    inner join catalogue on links.isrc = catalogue.isrc
    where links.track_id is null
)

select
    links.track_id,
    works.work_key,
    min(works.title) as title
from links
inner join intermediate.claimed_works as works on links.source = works.source and links.work_id = works.work_id
group by links.track_id, works.work_key
