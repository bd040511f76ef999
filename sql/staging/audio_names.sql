-- The recording behind each name under which audio data was delivered: a track id, or an ISRC that exactly one
-- recording has; any other name stands for itself. Of two names for one recording, the track id is kept.
-- grain: name
-- rows: 0
-- columns:
--   name      file name without its extension, or the recording's name as delivered
--   track_id  recording
-- reconcile:
--   (select count(*) from staging.audio_names) = (select count(distinct track_id) from staging.audio_names)
with named as (
    select track_id as name from raw.audio_features
    union distinct
    select track_id as name from raw.audio_vectors
    union distinct
    select track_id as name from raw.audio_tags
    where probability is null
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

resolved as (
    select
        named.name,
        coalesce(tracks.track_id, isrcs.track_id, named.name) as track_id
    from named
    left join staging.tracks as tracks on named.name = tracks.track_id
    left join isrcs on named.name = isrcs.isrc
),

ranked as (
    select
        name,
        track_id,
        row_number() over (partition by track_id order by case when name = track_id then 0 else 1 end, name) as name_no
    from resolved
)

select
    name,
    track_id
from ranked
where name_no = 1
