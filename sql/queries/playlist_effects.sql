-- Effects of playlist adds on the plays of an artist or a recording, compared with recordings that were not added (see
-- marts.playlist_effect), most significant first.
-- params:
--   artist_id  artist id, every artist where empty =
--   track_id   recording, every recording where empty =
--   label      label id, every label where empty =
--   n          adds at most [count] = 50
select
    effects.track_id,
    tracks.title,
    tracks.artist_name,
    effects.playlist_id,
    effects.added_at,
    effects.plays_before,
    effects.plays_after,
    effects.control_lift,
    effects.lift,
    effects.low,
    effects.high,
    effects.n_controls
from marts.playlist_effect as effects
inner join marts.track_features as tracks on effects.track_id = tracks.track_id
where
    ($artist_id = '' or tracks.artist_id = $artist_id)
    and ($track_id = '' or effects.track_id = $track_id)
    and ($label = '' or tracks.label_id = $label)
order by abs(ln(effects.lift)) / effects.error desc, effects.track_id asc, effects.playlist_id asc
limit $n::integer
