-- Files of recordings whose tune resembles that of another one, each pair in both directions, or that of notes.
-- grain: audio_id, other_audio_id, work_key
-- rows: 0
-- columns:
--   audio_id        hash of the recording's bytes
--   other_audio_id  the same of the other recording, null for notes
--   work_key        work whose notes these are, null for sound
--   score           points of the alignment per frame of both, less those of one played backwards, 0..1
--   expected        strangers of the catalogue that are expected to score as high [count]
--   transposition   by how much the recording is higher [semitones]
--   tempo_ratio     its tempo / tempo of the other; of notes, which have no tempo, at 110 quarter notes per minute [x]
--   starts_s        start of the part that agrees, in the recording [s]
--   ends_s          end of this part [s]
--   other_starts_s  start in the other [s]
--   other_ends_s    end in the other [s]
--   found_on        day for which the run that found it made lists
-- checks:
--   audio_id <> other_audio_id or other_audio_id is null
-- reconcile:
--   (select count(*) from intermediate.tune_pairs) = (select coalesce(sum(case when source_kind = 'sound' then 2 else 1 end), 0) from raw.tune_candidates)
select
    source_id as audio_id,
    audio_id as other_audio_id,
    cast(null as varchar) as work_key,
    score,
    expected,
    -transposition as transposition,
    1 / tempo_ratio as tempo_ratio,
    starts_s,
    ends_s,
    other_starts_s,
    other_ends_s,
    found_on
from raw.tune_candidates
where source_kind = 'sound'
union all
select
    audio_id,
    case when source_kind = 'sound' then source_id end as other_audio_id,
    source_name as work_key,
    score,
    expected,
    transposition,
    tempo_ratio,
    other_starts_s as starts_s,
    other_ends_s as ends_s,
    starts_s as other_starts_s,
    ends_s as other_ends_s,
    found_on
from raw.tune_candidates
