-- Artists and titles of the catalogue, and registered titles of works, with the key by which lyrics name them: without
-- case, signs and spaces, and of artists without a leading article.
-- grain: kind, id
-- rows: 0
-- columns:
--   kind  artist, title or work
--   id    artist, recording, or source/work_id of the work
--   term  name, in lower case
--   key   md5 of the name as lyrics write it
-- checks:
--   kind in ('artist', 'title', 'work')
-- reconcile:
--   (select count(*) from intermediate.catalogue_names where kind = 'title') = (select count(*) from staging.tracks)
with catalogue_names as (
    select
        'artist' as kind,
        artist_id as id,
        case when lower(name) like 'the %' then substring(lower(name), 5) else lower(name) end as term
    from staging.artists
    union all
    select
        'title' as kind,
        track_id as id,
        lower(title) as term
    from staging.tracks
    union all
    select
        'work' as kind,
        concat(source, '/', work_id) as id,
        lower(title) as term
    from intermediate.claimed_works
    where title is not null
),

without_quotes as (
    select
        kind,
        id,
        term,
        replace(
            replace(replace(replace(replace(replace(replace(term, 'ß', 'ss'), '''', ''), '’', ''), '‘', ''), '"', ''), '“', ''), '”', ''
        ) as plain
    from catalogue_names
),

without_stops as (
    select
        kind,
        id,
        term,
        replace(replace(replace(replace(replace(replace(plain, ',', ''), '.', ''), '!', ''), '?', ''), ':', ''), ';', '') as plain
    from without_quotes
)

select
    kind,
    id,
    term,
    md5(
        replace(
            replace(
                replace(replace(replace(replace(replace(replace(plain, '(', ''), ')', ''), '&', ''), '/', ''), '-', ''), '–', ''),
                '…',
                ''
            ),
            ' ',
            ''
        )
    ) as key
from without_stops
