-- Uses of recordings that matching found, the most probable first; a label's file has those of its own recordings.
-- params:
--   track_id     recording that is used, null for all
--   probability  least match probability, 0..1
--   n            uses at most [count]
select
    track_id,
    source_audio_id,
    starts_s,
    ends_s,
    source_kind,
    source_track_id,
    relation,
    probability,
    found_on
from marts.recording_uses
where ($track_id is null or track_id = $track_id) and probability >= $probability
order by probability desc, track_id asc, source_audio_id asc, starts_s asc
limit $n::bigint
