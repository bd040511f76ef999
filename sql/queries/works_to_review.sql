-- Recordings that may be of a work, by code, title or tune, with the recording that they resemble. By kind of
-- evidence: codes, tunes that pass .1 %, other tunes, titles; within each, the highest score first.
-- params:
--   work      key of the work, % for all = %
--   track     recording, % for all = %
--   evidence  code, title, tune in sound, tune in notes or % for all = %
--   n         rows at most [count] = 100
select
    candidates.work_key,
    candidates.track_id,
    features.title,
    features.artist_name,
    candidates.evidence,
    round(candidates.score, 3) as score,
    candidates.point,
    candidates.other_track_id,
    others.title as other_title,
    candidates.starts_s,
    candidates.ends_s,
    candidates.other_starts_s,
    candidates.other_ends_s,
    candidates.transposition,
    candidates.tempo_ratio,
    candidates.is_same_audio
from marts.work_candidates as candidates
inner join marts.track_features as features on candidates.track_id = features.track_id
left join marts.track_features as others on candidates.other_track_id = others.track_id
where candidates.work_key like $work and candidates.track_id like $track and candidates.evidence like $evidence
order by
    case
        when candidates.evidence = 'code' then 1
        when candidates.point = '0.1 %' then 2
        when candidates.point is not null then 3
        else 4
    end asc,
    candidates.score desc,
    candidates.work_key asc,
    candidates.track_id asc,
    candidates.evidence asc
limit $n::bigint
