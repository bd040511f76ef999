-- Recordings that were added lately to playlists that no listener owns, such as those of a service's editors: one row per
-- recording and playlist, by the day of its first add, newest first.
-- params:
--   days   days before the day of the build in which they were added [d] = 7
--   label  label id, every label where empty =
--   n      adds at most [count] = 100
with adds as (
    select
        playlist_id,
        track_id,
        max(title) as playlist_title,
        min(cast(added_at as date)) as added_on
    from marts.playlist_tracks
    where user_id is null and added_at is not null
    group by playlist_id, track_id
)

select
    adds.track_id,
    tracks.title,
    tracks.artist_name,
    adds.playlist_id,
    coalesce(adds.playlist_title, adds.playlist_id) as playlist_title,
    adds.added_on
from adds
cross join meta.build as build
left join marts.track_features as tracks on adds.track_id = tracks.track_id
where
    adds.added_on <= build.as_of
    and adds.added_on > build.as_of - $days::integer
    and ($label = '' or tracks.label_id = $label)
order by adds.added_on desc, adds.playlist_id asc, adds.track_id asc
limit $n::integer
