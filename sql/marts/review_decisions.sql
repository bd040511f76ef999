-- Decisions of people about findings of the cleaning (marts.review_findings), the newest per finding. They hold for
-- every later run, also while the finding has no evidence.
-- reason: the cleaning step and analysts read it; staging is dropped when the build ends
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
--   (select count(*) from marts.review_decisions) = (select count(*) from staging.review_decisions)
select
    kind,
    track_id,
    other_track_id,
    decision,
    decided_at,
    decided_by,
    note
from staging.review_decisions
