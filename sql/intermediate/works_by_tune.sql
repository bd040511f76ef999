-- Works that a recording resembles by its tune, linked or not: of each evidence the most similar recording of the work.
-- grain: work_key, track_id, evidence
-- rows: 0
-- columns:
--   work_key        the work
--   track_id        recording
--   evidence        tune in sound or tune in notes
--   other_track_id  recording of the work that it resembles most, null for notes
--   score           as in marts.tune_candidates, 0..1
--   expected        strangers of the catalogue that are expected to score as high [count]
--   starts_s        start of the part that agrees, in the recording [s]
--   ends_s          end of this part [s]
--   other_starts_s  start in the other [s]
--   other_ends_s    end in the other [s]
--   transposition   by how much the recording is higher [semitones]
--   tempo_ratio     its tempo / tempo of the other [x]
--   found_on        day for which the run that found it made lists
-- checks:
--   score between 0 and 1
-- reconcile:
--   (select count(distinct track_id) from intermediate.works_by_tune) <= (select count(distinct track_id) from marts.tune_candidates)
with by_tune as (
    select
        coalesce(pairs.work_key, links.work_key) as work_key,
        pairs.track_id,
        pairs.evidence,
        pairs.other_track_id,
        pairs.score,
        pairs.expected,
        pairs.starts_s,
        pairs.ends_s,
        pairs.other_starts_s,
        pairs.other_ends_s,
        pairs.transposition,
        pairs.tempo_ratio,
        pairs.found_on,
        row_number() over (
            partition by coalesce(pairs.work_key, links.work_key), pairs.track_id, pairs.evidence
            order by pairs.score desc, pairs.other_track_id asc
        ) as place
    from marts.tune_candidates as pairs
    left join marts.work_recordings as links on pairs.other_track_id = links.track_id
    where coalesce(pairs.work_key, links.work_key) is not null
)

select
    work_key,
    track_id,
    evidence,
    other_track_id,
    score,
    expected,
    starts_s,
    ends_s,
    other_starts_s,
    other_ends_s,
    transposition,
    tempo_ratio,
    found_on
from by_tune
where place = 1
