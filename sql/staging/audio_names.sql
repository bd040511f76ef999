-- Which recording each name of an audio file means: a track id, or the ISRC of exactly one recording; else it is its own.
-- grain: name
-- rows: 0
-- columns:
--   name      the file's name without its ending, or what a delivery calls its recording
--   track_id  recording; of two names for one, that which is its id counts
-- reconcile:
--   (select count(*) from staging.audio_names) = (select count(distinct track_id) from staging.audio_names)
with named as (
    select track_id as name from raw.audio_features
    union distinct
    select track_id as name from raw.audio_vectors
    union distinct
    select track_id as name from raw.audio_tags
),

isrcs as (
    select
        isrc,
        min(track_id) as track_id
    from staging.tracks
    where isrc is not null
    group by isrc
    having count(*) = 1
),

meant as (
    select
        named.name,
        coalesce(tracks.track_id, isrcs.track_id, named.name) as track_id
    from named
    left join staging.tracks as tracks on named.name = tracks.track_id
    left join isrcs on named.name = isrcs.isrc
),

ordered as (
    select
        name,
        track_id,
        row_number() over (partition by track_id order by case when name = track_id then 0 else 1 end, name) as name_no
    from meant
)

select
    name,
    track_id
from ordered
where name_no = 1
