-- Recordings, and files of notes of works, whose tunes were searched in the catalogue.
-- reason: analysts see in it what was compared; raw tables are dropped when the build ends
-- grain: source_kind, source_id
-- rows: 0
-- columns:
--   source_kind  sound (a recording of the catalogue) or notes (a file of notes)
--   source_id    hash of the recording's bytes, or of the file's name and bytes
--   source_name  key of the work whose notes these are, null for sound
--   n_found      recordings with the same tune that passed the operating point [count]
--   checked_on   day for which the run that searched it made lists, the day after its logs end
-- checks:
--   n_found >= 0
--   source_kind in ('sound', 'notes')
-- reconcile:
--   (select count(*) from marts.tune_checks) = (select count(*) from raw.tune_checks)
select
    source_kind,
    source_id,
    source_name,
    n_found,
    checked_on
from raw.tune_checks
