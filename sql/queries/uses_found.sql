-- Uses of the catalogue's recordings with the owners of the recordings, newest and highest match probability first.
-- params:
--   track_id     recording that is used, % for all = %
--   label        label name of the recording, % for all = %
--   source_kind  upload, catalogue or % for both = %
--   since        first day on which a use was found (YYYY-MM-DD) = 1970-01-01
--   probability  least match probability, 0..1 = 0
--   n            uses at most [count] = 100
select
    uses.found_on,
    uses.source_kind,
    coalesce(uses.source_file, uses.source_track_id) as source,
    uses.starts_s,
    uses.ends_s,
    uses.track_id,
    features.title,
    features.artist_name,
    features.label_name,
    features.isrc,
    uses.reference_starts_s,
    uses.reference_ends_s,
    uses.relation,
    uses.tempo_ratio,
    uses.pitch_semitones,
    uses.probability,
    case when uses.is_strict then '0.1 %' else '1 %' end as false_positives
from marts.match_candidates as uses
left join marts.track_features as features on uses.track_id = features.track_id
where
    coalesce(uses.track_id, '') like $track_id
    and coalesce(features.label_name, '') like $label
    and uses.source_kind like $source_kind
    and uses.found_on >= $since::date
    and uses.probability >= $probability::double
order by uses.found_on desc, uses.probability desc, source asc, uses.starts_s asc
limit $n::bigint
