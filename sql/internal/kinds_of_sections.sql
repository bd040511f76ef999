-- Kind and language of the sections of some recordings.
-- params:
--   track_ids  recordings, as a list
select
    track_id,
    section,
    kind,
    language
from marts.lyric_sections
where array_contains(cast($track_ids as varchar[]), track_id)
