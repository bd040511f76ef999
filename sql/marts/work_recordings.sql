-- Recordings of the catalogue and their works, by the recording's id or ISRC. A recording of several works, such as a
-- medley, has several rows.
-- grain: track_id, work_key
-- rows: 0
-- reason: programs and pages read who owns a recording, and intermediate tables are not in a finished file
-- columns:
--   track_id  recording of the catalogue
--   work_key  the work, see marts.work_owners
--   title     a title of the work, null where none is known
-- checks:
--   work_key is not null
-- reconcile:
--   (select count(*) from marts.work_recordings) = (select count(*) from intermediate.linked_works)
select
    track_id,
    work_key,
    title
from intermediate.linked_works
