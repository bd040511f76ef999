-- The catalogue: the newest row per recording.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id          recording
--   title             title
--   artist_id         credited artist
--   label_id          label, null where unknown
--   release_title     title of the release
--   release_date      release day, null where unknown
--   duration_ms       length, null where unknown [ms]
--   isrc              ISRC as delivered, null where none
--   iswc              ISWC of the musical work, such as T0345246801, null where none or its check digit was wrong
--   genres            genres, the main one first, null where none
--   language          ISO 639 code of the lyrics, null where unknown
--   explicit          whether the lyrics are marked explicit, null where unknown
--   available_in      territories where it may be played (ISO 3166-1 alpha-2), null where everywhere, also where an empty list was delivered
--   withdrawn_at      first day on which it may no longer be recommended, null where none
--   training_consent  whether audio and lyrics models may train on it: granted, denied or unknown
-- checks:
--   duration_ms is null or duration_ms > 0
--   training_consent in ('granted', 'denied', 'unknown')
-- reconcile:
--   (select count(*) from staging.tracks) = (select count(distinct track_id) from raw.tracks_versions)
select
    track_id,
    title,
    artist_id,
    label_id,
    release_title,
    release_date,
    duration_ms,
    isrc,
    iswc,
    genres,
    language,
    explicit,
    available_in,
    withdrawn_at,
    training_consent
from raw.tracks
