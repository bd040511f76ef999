-- Decisions of people about findings of the cleaning. The newest row per finding.
-- grain: kind, track_id, other_track_id
-- rows: 0
-- columns:
--   kind            duplicate, wrong_artist, wrong_genre, wrong_tempo or wrong_language
--   track_id        recording
--   other_track_id  the recording that it is compared with
--   decision        accepted or rejected
--   decided_at      when it was decided (UTC)
--   decided_by      who decided, null where not given
--   note            reason, null where none was given
-- checks:
--   decision in ('accepted', 'rejected')
-- reconcile:
--   (select count(*) from staging.review_decisions) = (select count(*) from (select distinct kind, track_id, other_track_id from raw.review_decisions_versions) as findings)
select
    kind,
    track_id,
    other_track_id,
    decision,
    decided_at,
    decided_by,
    note
from raw.review_decisions
