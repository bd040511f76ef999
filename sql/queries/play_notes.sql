-- What happened to the plays of an artist or a recording, to be marked on a curve of them: round numbers of plays since
-- the log's first day (1,000, 10,000 and so on, the greatest that was passed on a day), and first adds of recordings to
-- playlists that no listener owns, with their number. Oldest first.
-- params:
--   kind  artist or recording
--   id    artist id or track id
with items as (
    select
        track_id,
        coalesce(title, track_id) as title
    from marts.track_features
    where case when $kind = 'artist' then artist_id else track_id end = $id
),

plays as (
    select
        listen_date,
        n_plays
    from marts.track_daily
    where $kind = 'recording' and track_id = $id
    union all
    select
        listen_date,
        n_plays
    from marts.artist_daily
    where $kind = 'artist' and artist_id = $id
),

sums as (
    select
        listen_date,
        n_plays,
        sum(n_plays) over (order by listen_date asc) as n_so_far
    from plays
),

adds as (
    select
        items.track_id,
        items.title,
        playlists.playlist_id,
        max(coalesce(playlists.title, playlists.playlist_id)) as playlist_title,
        min(playlists.added_at::date) as added_on
    from items
    inner join marts.playlist_tracks as playlists on items.track_id = playlists.track_id
    where playlists.user_id is null and playlists.added_at is not null
    group by items.track_id, items.title, playlists.playlist_id
),

notes as (
    select
        added_on as day,
        'playlist' as kind,
        min(title) as title,
        max(playlist_title) as place,
        count(*) as n
    from adds
    group by added_on, playlist_id
    union all
    select
        listen_date as day,
        'milestone' as kind,
        '' as title,
        'since the data begin' as place,
        pow(10, floor(log10(n_so_far))) as n
    from sums
    where n_plays > 0 and n_so_far >= 1000 and n_so_far - n_plays < pow(10, floor(log10(n_so_far)))
)

select
    day,
    kind,
    title,
    place,
    n::bigint as n
from notes
order by day asc, kind asc, title asc, place asc
