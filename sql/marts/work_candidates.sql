-- Recordings that may be of a work, for review: they have no link to it, but the title or the code of the work, or the
-- tune of one of its recordings, or of its notes. It says similarity, not ownership.
-- grain: work_key, track_id, evidence
-- rows: 0
-- columns:
--   work_key        the work, see marts.work_owners
--   track_id        recording without a link to the work
--   evidence        code, title, tune in sound, or tune in notes
--   score           of a code 1; of a title 1 / works that have it; of a tune as in marts.tune_candidates, 0..1
--   point           operating point of a tune that it passes: 1 % or 0.1 % of strangers' searches; null for metadata
--   other_track_id  recording of the work that it resembles, the most similar; null for a code and for notes
--   starts_s        start of the part with the same tune, in the recording, null for metadata [s]
--   ends_s          end of this part [s]
--   other_starts_s  its start in the other recording, or in the notes at 110 quarter notes per minute [s]
--   other_ends_s    its end there [s]
--   transposition   by how much the recording is higher, null for metadata [semitones]
--   tempo_ratio     tempo of the recording / that of the other, or of the notes, null for metadata [x]
--   is_same_audio   whether the recording is linked as a duplicate of the other one, and so no other version
--   found_on        day for which the run that found the tune made lists, null for metadata
-- checks:
--   evidence in ('code', 'title', 'tune in sound', 'tune in notes')
--   score between 0 and 1
-- reconcile:
--   (select count(*) from marts.work_candidates as found inner join marts.work_recordings as links on found.work_key = links.work_key and found.track_id = links.track_id) = 0
with candidates as (
    select
        work_key,
        track_id,
        evidence,
        other_track_id,
        score,
        cast(null as varchar) as point,
        cast(null as double) as starts_s,
        cast(null as double) as ends_s,
        cast(null as double) as other_starts_s,
        cast(null as double) as other_ends_s,
        cast(null as bigint) as transposition,
        cast(null as double) as tempo_ratio,
        cast(null as date) as found_on
    from marts.works_by_metadata
    union all
    select
        work_key,
        track_id,
        evidence,
        other_track_id,
        score,
        case when expected <= 0.001 then '0.1 %' else '1 %' end as point,
        starts_s,
        ends_s,
        other_starts_s,
        other_ends_s,
        transposition,
        tempo_ratio,
        found_on
    from intermediate.works_by_tune
)

select
    candidates.work_key,
    candidates.track_id,
    candidates.evidence,
    candidates.score,
    candidates.point,
    candidates.other_track_id,
    candidates.starts_s,
    candidates.ends_s,
    candidates.other_starts_s,
    candidates.other_ends_s,
    candidates.transposition,
    candidates.tempo_ratio,
    coalesce(
        coalesce(own.same_as, candidates.track_id) = coalesce(others.same_as, candidates.other_track_id), false
    ) as is_same_audio,
    candidates.found_on
from candidates
left join marts.work_recordings as links
    on candidates.work_key = links.work_key and candidates.track_id = links.track_id
left join marts.duplicate_links as own on candidates.track_id = own.track_id
left join marts.duplicate_links as others on candidates.other_track_id = others.track_id
where links.work_key is null
