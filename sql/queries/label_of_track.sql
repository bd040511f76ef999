-- The label of a recording: no row where the recording is unknown, a null label where only its label is.
-- params:
--   track_id  recording
select label_id
from marts.track_features
where track_id = $track_id
