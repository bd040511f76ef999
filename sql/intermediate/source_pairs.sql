-- What the catalogue says of a recording beside what another source last said of it.
-- grain: track_id, other_source
-- rows: 0
-- columns:
--   track_id            recording
--   other_source        file name without its digits
--   title               title in the catalogue
--   other_title         title that the source stated; likewise of the other columns
--   artist_id           credited artist
--   other_artist_id     of the source
--   label_id            label
--   other_label_id      of the source
--   release_date        release day
--   other_release_date  of the source
--   duration_ms         length [ms]
--   other_duration_ms   of the source [ms]
--   isrc                ISRC without hyphens
--   other_isrc          of the source
--   iswc                ISWC
--   other_iswc          of the source
--   genre               main genre in lower case
--   other_genre         of the source
--   language            ISO 639 code of the lyrics
--   other_language      of the source
--   explicit            whether the lyrics are marked explicit
--   other_explicit      of the source
--   consent             granted or denied
--   other_consent       of the source
-- checks:
--   other_source is not null
-- reconcile:
--   (select count(*) from intermediate.source_pairs) = (select count(*) from intermediate.newest_by_source)
select
    tracks.track_id,
    others.source as other_source,
    tracks.title,
    others.title as other_title,
    tracks.artist_id,
    others.artist_id as other_artist_id,
    tracks.label_id,
    others.label_id as other_label_id,
    tracks.release_date,
    others.release_date as other_release_date,
    tracks.duration_ms,
    others.duration_ms as other_duration_ms,
    replace(upper(tracks.isrc), '-', '') as isrc,
    others.isrc as other_isrc,
    tracks.iswc,
    others.iswc as other_iswc,
    lower(tracks.genres[1]) as genre,
    others.genre as other_genre,
    tracks.language,
    others.language as other_language,
    tracks.explicit,
    others.explicit as other_explicit,
    nullif(tracks.training_consent, 'unknown') as consent,
    others.training_consent as other_consent
from staging.tracks as tracks
inner join intermediate.newest_by_source as others on tracks.track_id = others.track_id
