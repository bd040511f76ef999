-- Recordings that have the code of a work, or its title or that of one of its recordings, linked or not. Takedowns are left
-- out, and titles that say little: of signs alone, of more than five works, or of more than 50 recordings (Intro).
-- grain: work_key, track_id, evidence
-- rows: 0
-- columns:
--   work_key        the work
--   track_id        recording
--   evidence        code or title
--   other_track_id  first recording of the work by id with this title; null for a code, and for a title as registered
--   score           of a code 1, of a title 1 / works that have it
-- checks:
--   score between 0 and 1
--   evidence = 'code' or score >= 0.2
-- reconcile:
--   (select count(distinct track_id) from marts.works_by_metadata) <= (select count(*) from marts.track_features)
with works as (
    select distinct work_key
    from intermediate.claimed_works
),

recordings as (
    select
        features.track_id,
        features.iswc,
        names.key as title_key
    from marts.track_features as features
    left join intermediate.catalogue_names as names on features.track_id = names.id and names.kind = 'title'
    where features.taken_down_at is null
),

titles as (
    select
        links.work_key,
        recordings.title_key,
        links.track_id
    from marts.work_recordings as links
    inner join recordings on links.track_id = recordings.track_id
    union all
    select
        claims.work_key,
        names.key as title_key,
        cast(null as varchar) as track_id
    from intermediate.claimed_works as claims
    inner join intermediate.catalogue_names as names
        on names.id = concat(claims.source, '/', claims.work_id) and names.kind = 'work'
),

titles_of_works as (
    select
        work_key,
        title_key,
        min(track_id) as other_track_id
    from titles
    where title_key <> md5('')
    group by work_key, title_key
),

works_of_title as (
    select
        title_key,
        count(*) as n_works
    from titles_of_works
    group by title_key
    having count(*) <= 5
),

recordings_of_title as (
    select title_key
    from recordings
    group by title_key
    having count(*) <= 50
)

select
    works.work_key,
    recordings.track_id,
    'code' as evidence,
    cast(null as varchar) as other_track_id,
    1.0 as score
from recordings
inner join works on recordings.iswc = works.work_key
union all
select
    titles_of_works.work_key,
    recordings.track_id,
    'title' as evidence,
    titles_of_works.other_track_id,
    1.0 / works_of_title.n_works as score
from recordings
inner join titles_of_works on recordings.title_key = titles_of_works.title_key
inner join works_of_title on recordings.title_key = works_of_title.title_key
inner join recordings_of_title on recordings.title_key = recordings_of_title.title_key
