-- Recordings behind each file of the fingerprint index: those with the file's bytes, takedowns left out.
select
    audio.audio_id,
    features.track_id,
    features.title,
    features.artist_name,
    features.label_name,
    features.isrc,
    audio.duration_ms,
    audio.file
from marts.track_audio as audio
inner join marts.track_features as features on audio.track_id = features.track_id
where audio.audio_id is not null and features.taken_down_at is null
order by audio.audio_id asc, features.track_id asc
