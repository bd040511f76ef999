-- Metadata and main audio features of a recording.
-- params:
--   track_id  recording
select
    tracks.title,
    tracks.artist_name,
    tracks.label_name,
    tracks.release_title,
    tracks.release_date,
    tracks.isrc,
    tracks.genres,
    tracks.language,
    tracks.duration_ms,
    tracks.training_consent,
    tracks.available_in,
    tracks.withdrawn_at,
    tracks.tempo_bpm,
    tracks.key,
    tracks.mode,
    tracks.beats_per_bar,
    tracks.main_chords,
    tracks.energy,
    tracks.danceability,
    tracks.loudness_lufs
from marts.track_features as tracks
where tracks.track_id = $track_id
