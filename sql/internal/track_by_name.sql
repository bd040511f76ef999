-- Recordings by id or title, of any artist or of one.
-- params:
--   name    id or title, whatever its case and accents
--   artist  part of the artist's name, every artist where empty
select
    track_id,
    title,
    artist_name,
    tempo_bpm,
    loudness_lufs,
    energy
from marts.track_features
where
    is_known
    and (track_id = $name or lower(strip_accents(title)) = lower(strip_accents($name)))
    and ($artist = '' or contains(lower(strip_accents(artist_name)), lower(strip_accents($artist))))
order by track_id asc
