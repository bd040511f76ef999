-- Playlists with effects of adds (see marts.playlist_effect), those with most effects first; the lift of a playlist is the
-- geometric mean of its adds.
-- params:
--   label  label of the recordings, every label where empty =
with titles as (
    select
        playlist_id,
        max(title) as title
    from marts.playlist_tracks
    group by playlist_id
)

select
    effects.playlist_id,
    coalesce(max(titles.title), effects.playlist_id) as playlist,
    count(*) as n_effects,
    exp(avg(ln(effects.lift))) as lift
from marts.playlist_effect as effects
inner join marts.track_features as tracks on effects.track_id = tracks.track_id
left join titles on effects.playlist_id = titles.playlist_id
where $label = '' or tracks.label_id = $label
group by effects.playlist_id
order by n_effects desc, lift desc, effects.playlist_id asc
