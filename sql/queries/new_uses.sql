-- Uses of recordings that matching found recently, highest match probability first.
-- params:
--   days         nightly runs to look back, one per day [d] = 1
--   probability  least match probability, 0..1 = 0.9
--   source_kind  upload, catalogue or % for both = %
--   n            uses at most [count] = 20
select
    uses.track_id,
    tracks.title,
    tracks.artist_name,
    uses.source_kind,
    sources.title as source_title,
    uses.relation,
    uses.starts_s,
    uses.ends_s,
    uses.probability,
    uses.found_on
from marts.recording_uses as uses
inner join marts.track_features as tracks on uses.track_id = tracks.track_id
left join marts.track_features as sources on uses.source_track_id = sources.track_id
where
    uses.found_on > (select build.as_of + 1 - $days::integer from meta.build as build)
    and uses.probability >= $probability::double
    and uses.source_kind like $source_kind
order by uses.probability desc, uses.track_id asc, uses.source_audio_id asc, uses.starts_s asc
limit $n::integer
