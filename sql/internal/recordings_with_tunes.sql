-- Recordings whose tunes are compared, each with the chromagram of its file; takedowns are left out.
select
    audio.track_id,
    audio.audio_id,
    features.title,
    features.artist_name,
    audio.file,
    timeline.chromagram
from marts.track_audio as audio
inner join marts.track_timeline as timeline on audio.track_id = timeline.track_id
inner join marts.track_features as features on audio.track_id = features.track_id
where audio.audio_id is not null and timeline.chromagram is not null and features.taken_down_at is null
order by audio.track_id asc
