-- The recording behind each name under which audio data or lyrics were delivered: a track id, or an ISRC that exactly one
-- recording has; any other name stands for itself. Of two names for one recording, the sound of the first is kept: of
-- those that have features or an embedding, the track id. Tags are kept by tagger (see staging.audio_tags). Names under
-- which only lyrics were delivered are resolved here, but enter no catalogue.
-- grain: name
-- rows: 0
-- columns:
--   name         file name without its extension, or the recording's name as delivered
--   track_id     recording
--   name_no      place of the name among those of the recording, from 1
--   is_of_audio  whether audio data were delivered under the name, not only lyrics
-- reconcile:
--   (select count(*) from staging.audio_names where name_no = 1) = (select count(distinct track_id) from staging.audio_names)
with delivered as (
    -- noqa: disable=LT09,LT14
    select track_id as name, 1 as has_sound, 1 as of_audio from raw.audio_features
    union all
    select track_id as name, 1 as has_sound, 1 as of_audio from raw.audio_vectors
    union all
    select track_id as name, 0 as has_sound, 1 as of_audio from raw.audio_tags
    union all
    select track_id as name, 0 as has_sound, 0 as of_audio from raw.lyrics
    -- noqa: enable=LT09,LT14
),

named as (
    select
        name,
        max(has_sound) as has_sound,
        max(of_audio) as of_audio
    from delivered
    group by name
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
        named.has_sound,
        named.of_audio,
        coalesce(tracks.track_id, isrcs.track_id, named.name) as track_id
    from named
    left join staging.tracks as tracks on named.name = tracks.track_id
    left join isrcs on named.name = isrcs.isrc
)

select
    name,
    track_id,
    row_number() over (
        partition by track_id order by has_sound desc, case when name = track_id then 0 else 1 end asc, name asc
    ) as name_no,
    of_audio = 1 as is_of_audio
from resolved
