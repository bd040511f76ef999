-- Fields shown for recordings in a list by sound, and fields that keep the list varied.
select
    track_id,
    title,
    artist_id,
    artist_name,
    release_title,
    tempo_bpm,
    key,
    mode,
    energy
from marts.track_features
order by track_id asc
