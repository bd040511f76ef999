-- Recordings whose tune resembles that of another recording, or of a work in notes, found by the nightly run. Each pair of
-- recordings stands in both directions. It says similarity, not that a right was infringed.
-- grain: track_id, evidence, other_track_id, work_key
-- rows: 0
-- columns:
--   track_id        recording
--   evidence        tune in sound, or tune in notes
--   other_track_id  the other recording, null for notes
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
--   track_id <> other_track_id or evidence = 'tune in notes'
-- reconcile:
--   (select count(*) from marts.tune_candidates where evidence = 'tune in notes') <= (select count(*) from raw.tune_candidates where source_kind = 'notes') * (select count(*) + 1 from marts.track_audio)
with recordings as (
    select
        audio.audio_id,
        audio.track_id
    from marts.track_audio as audio
    inner join marts.track_features as features on audio.track_id = features.track_id
    where audio.audio_id is not null and features.taken_down_at is null
)

select
    own.track_id,
    case when pairs.work_key is null then 'tune in sound' else 'tune in notes' end as evidence,
    others.track_id as other_track_id,
    pairs.work_key,
    pairs.score,
    pairs.expected,
    pairs.transposition,
    pairs.tempo_ratio,
    pairs.starts_s,
    pairs.ends_s,
    pairs.other_starts_s,
    pairs.other_ends_s,
    pairs.found_on
from intermediate.tune_pairs as pairs
inner join recordings as own on pairs.audio_id = own.audio_id
left join recordings as others on pairs.other_audio_id = others.audio_id
where others.track_id is not null or pairs.work_key is not null
