-- Audio searched for recordings of the catalogue: uploads, and the catalogue's own recordings.
-- reason: the query looked_through and analysts read it; raw tables are dropped when the build ends
-- grain: source_kind, source_audio_id
-- rows: 0
-- columns:
--   source_kind        upload or catalogue
--   source_file        path of the upload in the folder of uploads, null for a recording of the catalogue
--   source_audio_id    hash of the source's bytes
--   source_duration_s  length of the source, 0 where it could not be decoded [s]
--   n_uses             uses found in it [count]
--   failure            reason why it could not be decoded, null where it could
--   checked_on         day for which the run that searched it made lists, the day after its logs end
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
