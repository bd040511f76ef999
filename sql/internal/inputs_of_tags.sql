-- What heads read of each recording that the catalogue describes and that is not taken down: consent and artist,
-- metadata, audio features and embedding.
select
    tracks.track_id,
    tracks.artist_id,
    tracks.training_consent,
    tracks.genre,
    tracks.language,
    tracks.artist_country as country,
    tracks.artist_type,
    cast(year(tracks.release_date) as double) as release_year,
    ln(tracks.duration_ms) as log_duration,
    cast(tracks.explicit as double) as explicit,
    ln(tracks.tempo_bpm) as log_tempo,
    tracks.loudness_lufs,
    tracks.energy,
    tracks.danceability,
    audio.onset_rate_hz,
    audio.beat_strength,
    ln(nullif(audio.spectral_centroid_hz, 0)) as log_brightness,
    audio.spectral_flatness,
    audio.loudness_range_lu,
    cast(audio.mode = 'minor' as double) as is_minor,
    vectors.encoder,
    vectors.vector
from marts.track_features as tracks
left join marts.track_audio as audio on tracks.track_id = audio.track_id
left join marts.track_vectors as vectors on tracks.track_id = vectors.track_id
where tracks.is_known and tracks.taken_down_at is null
order by tracks.track_id asc
