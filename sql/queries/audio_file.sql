-- The file that a recording was heard in, as seen from the folder that was scanned.
-- params:
--   track_id  recording
select
    file,
    audio_id
from marts.track_audio
where track_id = $track_id and file is not null
