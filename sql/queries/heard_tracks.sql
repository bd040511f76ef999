-- Analysed recordings, which similar sound can be searched for.
select
    track_id,
    title || ' by ' || coalesce(artist_name, 'unknown') as name
from marts.track_features
where tempo_bpm is not null and title is not null
order by name asc, track_id asc
