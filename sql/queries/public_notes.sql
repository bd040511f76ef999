-- What everybody can know of an artist or a recording, to be marked on a curve of plays: releases with their number of
-- recordings, and first entries and returns of a song to a chart with its rank. Oldest first.
-- params:
--   kind  artist or recording
--   id    artist id or track id
with items as (
    select
        track_id,
        coalesce(title, track_id) as title,
        coalesce(release_title, title, track_id) as release_title,
        release_date
    from marts.track_features
    where case when $kind = 'artist' then artist_id else track_id end = $id
),

notes as (
    select
        release_date as day,
        'release' as kind,
        release_title as title,
        '' as place,
        count(*) as n
    from items
    where release_date is not null
    group by release_date, release_title
    union all
    select
        weeks.chart_date as day,
        case when weeks.is_new then 'chart entry' else 'chart return' end as kind,
        items.title,
        weeks.chart as place,
        weeks.rank as n
    from items
    inner join marts.chart_songs as songs on items.track_id = songs.track_id
    inner join marts.chart_weekly as weeks on songs.song_id = weeks.song_id
    where weeks.is_new or weeks.is_reentry
)

select
    day,
    kind,
    title,
    place,
    n::bigint as n
from notes
order by day asc, kind asc, title asc, place asc
