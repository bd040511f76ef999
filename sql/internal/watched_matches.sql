-- Uses of watched recordings, and of recordings of watched artists, that matching found since a day.
-- params:
--   artists      artist ids, a list
--   recordings   track ids, a list
--   since        first day, a date
--   probability  least match probability, 0..1
select
    uses.found_on as day,
    uses.track_id,
    uses.source_audio_id,
    uses.starts_s,
    uses.ends_s,
    uses.source_kind,
    uses.probability,
    coalesce(tracks.title, tracks.track_id) as title,
    tracks.artist_id,
    sources.title as source_title
from marts.recording_uses as uses
inner join marts.track_features as tracks on uses.track_id = tracks.track_id
left join marts.track_features as sources on uses.source_track_id = sources.track_id
where
    uses.found_on >= $since
    and uses.probability >= $probability
    and (
        list_contains(cast($artists as varchar[]), tracks.artist_id)
        or list_contains(cast($recordings as varchar[]), tracks.track_id)
    )
order by uses.found_on asc, uses.track_id asc, uses.source_audio_id asc, uses.starts_s asc
