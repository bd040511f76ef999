-- Path and hash of a recording's audio file; the path is relative to the scanned folder.
-- params:
--   track_id  recording
select
    file,
    audio_id
from marts.track_audio
where track_id = $track_id and file is not null
