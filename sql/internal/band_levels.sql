-- Levels of octave bands of the recordings of an artist, by id or name, or of all recordings; takedowns left out.
-- params:
--   artist  artist id or name, every artist where empty
select
    audio.audio_id,
    features.artist_id,
    features.artist_name,
    audio.band_levels_db
from marts.track_audio as audio
inner join marts.track_features as features on audio.track_id = features.track_id
where
    array_length(audio.band_levels_db) = 10  -- a delivered list can have another length
    and features.taken_down_at is null
    and ($artist = '' or features.artist_id = $artist or lower(features.artist_name) = lower($artist))
order by audio.track_id asc
