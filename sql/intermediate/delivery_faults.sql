-- Faults of the sound as it was delivered, from the newest analysis of each file. Whether a level is usual is judged by
-- the artist's recordings of the same label, those taken down left out: each row enters a file of its label.
-- grain: track_id, issue
-- rows: 0
-- columns:
--   track_id  recording
--   issue     clipped, mono_incompatible, silent_ends, upsampled, lossy_origin or off_level
--   detail    what was measured, with its unit
-- reconcile:
--   (select count(*) from intermediate.delivery_faults where issue = 'lossy_origin') <= (select count(lossy_origin) from marts.track_audio)
with levels as (
    select
        audio.track_id,
        audio.loudness_lufs,
        median(audio.loudness_lufs) over (partition by tracks.artist_id, tracks.label_id) as usual_lufs,
        count(audio.loudness_lufs) over (partition by tracks.artist_id, tracks.label_id) as n_recordings
    from marts.track_audio as audio
    inner join marts.track_features as tracks on audio.track_id = tracks.track_id
    where tracks.artist_id is not null and tracks.taken_down_at is null
),

origins as (
    select
        track_id,
        codec,
        rate_hz,
        source_rate_hz,
        lossy_origin,
        (codec like 'pcm_%' or codec in ('flac', 'alac', 'wavpack', 'float', 'double')) and codec not like '%law' as is_lossless
    from marts.track_audio
)

-- noqa: disable=LT05,LT09,LT14
select track_id, 'clipped' as issue, concat(cast(clipped_samples as varchar), ' samples') as detail
from marts.track_audio where clipped_samples >= 100
union all
select track_id, 'mono_incompatible' as issue, concat('correlation ', cast(round(channel_correlation, 2) as varchar)) as detail
from marts.track_audio where stereo_width >= 0.75
union all
select track_id, 'silent_ends' as issue, concat(cast(round(silent_start_s, 1) as varchar), ' s before, ', cast(round(silent_end_s, 1) as varchar), ' s after') as detail
from marts.track_audio where silent_start_s > 2 or silent_end_s > 5
union all
select track_id, 'upsampled' as issue, concat(cast(source_rate_hz as varchar), ' Hz') as detail
from origins where is_lossless and source_rate_hz < rate_hz and coalesce(lossy_origin, 0) < 0.5
union all
select track_id, 'lossy_origin' as issue, concat('delivered as ', codec) as detail
from origins where is_lossless and lossy_origin >= 0.9
union all
select track_id, 'off_level' as issue, concat(cast(round(loudness_lufs, 1) as varchar), ' LUFS, usual ', cast(round(usual_lufs, 1) as varchar), ' LUFS') as detail
from levels where n_recordings >= 4 and abs(loudness_lufs - usual_lufs) > 9
-- noqa: enable=LT05,LT09,LT14
