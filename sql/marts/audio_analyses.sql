-- What each analysis says of tempo and key of a recording: the newest row per recording and source. A recording has
-- several where its features were delivered and its file was scanned; marts.track_audio has the newest of them.
-- grain: track_id, source
-- rows: 0
-- labels: track_id
-- columns:
--   track_id          recording
--   source            recsys for a scan of this platform, otherwise the analyser as delivered
--   tempo_bpm         tempo, null where unknown [1/min]
--   tempo_confidence  confidence of the tempo, 0..1, null where none was stated
--   key               tonic: C, C#, D and so on, null where unknown
--   mode              major or minor, null where unknown
--   key_confidence    confidence of key and mode, 0..1, null where none was stated
-- checks:
--   tempo_bpm is null or tempo_bpm > 0
-- reconcile:
--   (select count(*) from marts.track_audio) <= (select count(distinct track_id) from marts.audio_analyses)
with named as (
    select
        audio_names.track_id,
        case when features.analyser like 'recsys-%' then 'recsys' else features.analyser end as source,
        features.tempo_bpm,
        features.tempo_confidence,
        features.key,
        features.mode,
        features.key_confidence,
        features.batch_no,
        audio_names.name_no
    from raw.audio_features_versions as features
    inner join staging.audio_names as audio_names on features.track_id = audio_names.name
),

numbered as (
    select
        track_id,
        source,
        tempo_bpm,
        tempo_confidence,
        key,
        mode,
        key_confidence,
        row_number() over (partition by track_id, source order by name_no asc, batch_no desc) as version_no
    from named
)

select
    track_id,
    source,
    tempo_bpm,
    tempo_confidence,
    key,
    mode,
    key_confidence
from numbered
where version_no = 1
