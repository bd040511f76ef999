-- Uses of recordings that pass the strict threshold, found in a recording of the catalogue or in an upload, in order of
-- time.
-- params:
--   source  id of the recording, or path of the upload in the folder of uploads
with uses as (
    select
        track_id,
        starts_s,
        ends_s,
        relation,
        probability,
        found_on
    from marts.match_candidates
    where is_strict and track_id is not null and (source_track_id = $source or source_file = $source)
)

select
    uses.track_id,
    tracks.title,
    tracks.artist_name,
    uses.starts_s,
    uses.ends_s,
    uses.relation,
    uses.probability,
    uses.found_on
from uses
left join marts.track_features as tracks on uses.track_id = tracks.track_id
order by uses.starts_s asc, uses.track_id asc
