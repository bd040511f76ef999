-- The artist of a recording: no row where the recording is unknown, a null artist where only its artist is.
-- params:
--   track_id  recording
select artist_id
from marts.track_features
where track_id = $track_id
