-- What was looked through for recordings of the catalogue: uploads, and the catalogue's own recordings.
-- reason: the query looked_through and analysts read it; raw tables are dropped when the build ends
-- grain: source_kind, source_audio_id
-- rows: 0
-- columns:
--   source_kind        upload or catalogue
--   source_file        the upload, as seen from the folder of uploads, null for a recording of the catalogue
--   source_audio_id    hash of its bytes
--   source_duration_s  its length, 0 where it could not be heard [s]
--   n_uses             uses that were found in it [count]
--   failure            why it could not be heard, null where it could
--   checked_on         the day for which the night that looked through it made lists
-- checks:
--   n_uses >= 0
--   source_kind in ('upload', 'catalogue')
-- reconcile:
--   (select count(*) from marts.match_checks) = (select count(*) from raw.match_checks)
select
    source_kind,
    source_file,
    source_audio_id,
    source_duration_s,
    n_uses,
    failure,
    checked_on
from raw.match_checks
