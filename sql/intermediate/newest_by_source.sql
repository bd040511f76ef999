-- What each source last said of each recording: the newest row per recording and source.
-- grain: track_id, source
-- rows: 0
-- columns:
--   track_id          recording
--   source            file name without its digits (see intermediate.source_files)
--   title             title
--   artist_id         credited artist
--   label_id          label, null where not stated
--   release_date      release day, null where not stated
--   duration_ms       length, null where not stated [ms]
--   isrc              ISRC without hyphens, null where not stated
--   iswc              ISWC, null where not stated
--   genre             main genre in lower case, null where not stated
--   language          ISO 639 code of the lyrics, null where not stated
--   explicit          whether the lyrics are marked explicit, null where not stated
--   training_consent  granted or denied, null where not stated
-- checks:
--   source is not null
-- reconcile:
--   (select count(*) from intermediate.newest_by_source) <= (select count(*) from raw.tracks_versions)
with numbered as (
    select
        tracks.track_id,
        files.source,
        tracks.title,
        tracks.artist_id,
        tracks.label_id,
        tracks.release_date,
        tracks.duration_ms,
        replace(upper(tracks.isrc), '-', '') as isrc,
        tracks.iswc,
        lower(tracks.genres[1]) as genre,
        tracks.language,
        tracks.explicit,
        nullif(tracks.training_consent, 'unknown') as training_consent,
        row_number() over (partition by tracks.track_id, files.source order by tracks.batch_no desc) as version_no
    from raw.tracks_versions as tracks
    inner join intermediate.source_files as files on tracks.batch_no = files.batch_no
)

select
    track_id,
    source,
    title,
    artist_id,
    label_id,
    release_date,
    duration_ms,
    isrc,
    iswc,
    genre,
    language,
    explicit,
    training_consent
from numbered
where version_no = 1
