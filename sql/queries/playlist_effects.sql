-- Effects of playlist adds on the plays of an artist or a recording, compared with recordings that were not added (see
-- marts.playlist_effect), most significant first.
-- params:
--   artist_id    artist id, every artist where empty =
--   track_id     recording, every recording where empty =
--   label        label id, every label where empty =
--   playlist_id  playlist, every playlist where empty =
--   by           significance, or week: the newest week first, in it the largest effect = significance
--   n            adds at most [count] = 50
with titles as (
    select
        playlist_id,
        max(title) as title
    from marts.playlist_tracks
    group by playlist_id
)

select
    effects.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    effects.playlist_id,
    coalesce(titles.title, effects.playlist_id) as playlist,
    cast(effects.added_at as date) as added_on,
    effects.plays_before,
    effects.plays_after,
    effects.control_lift,
    effects.lift,
    effects.low,
    effects.high,
    effects.n_controls
from marts.playlist_effect as effects
inner join marts.track_features as tracks on effects.track_id = tracks.track_id
left join titles on effects.playlist_id = titles.playlist_id
where
    ($artist_id = '' or tracks.artist_id = $artist_id)
    and ($track_id = '' or effects.track_id = $track_id)
    and ($label = '' or tracks.label_id = $label)
    and ($playlist_id = '' or effects.playlist_id = $playlist_id)
order by
    case when $by = 'week' then date_trunc('week', effects.added_at) end desc nulls last,
    case when $by = 'week' then effects.lift end desc nulls last,
    abs(ln(effects.lift)) / effects.error desc,
    effects.track_id asc,
    effects.playlist_id asc
limit $n::integer
