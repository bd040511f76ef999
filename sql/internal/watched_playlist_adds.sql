-- Watched recordings, and recordings of watched artists, that were added since a day to playlists that no listener owns.
-- params:
--   artists     artist ids, a list
--   recordings  track ids, a list
--   since       first day, a date
select
    playlists.playlist_id,
    max(playlists.title) as playlist_title,
    playlists.track_id,
    coalesce(max(tracks.title), playlists.track_id) as title,
    max(tracks.artist_id) as artist_id,
    min(cast(playlists.added_at as date)) as day
from marts.playlist_tracks as playlists
inner join marts.track_features as tracks on playlists.track_id = tracks.track_id
cross join meta.build as build
where
    playlists.user_id is null
    and cast(playlists.added_at as date) between $since and build.as_of
    and (
        list_contains(cast($artists as varchar[]), tracks.artist_id)
        or list_contains(cast($recordings as varchar[]), tracks.track_id)
    )
group by playlists.playlist_id, playlists.track_id
order by day asc, playlists.playlist_id asc, playlists.track_id asc
