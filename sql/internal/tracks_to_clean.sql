-- The recordings of the catalogue, with what duplicates, wrong artists and wrong genres are found by.
select
    tracks.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.artist_type,
    tracks.release_title,
    tracks.release_date,
    tracks.duration_ms,
    tracks.isrc,
    tracks.explicit,
    tracks.genre,
    audio.audio_id,
    audio.duration_ms as audio_ms
from marts.track_features as tracks
left join marts.track_audio as audio on tracks.track_id = audio.track_id
where tracks.is_known
order by tracks.track_id asc
