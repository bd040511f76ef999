-- Hashes of the audio files of the given recordings.
-- params:
--   track_ids  recordings, as a list
select distinct audio_id
from marts.track_audio
where audio_id is not null and array_contains(cast($track_ids as varchar[]), track_id)
