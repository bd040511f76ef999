-- Charted songs that are in the catalogue. A song is linked by the recording that the chart names, else by ISRC, else
-- by exact title and artist name; capitals, hyphens in an ISRC and the kind of apostrophe do not count. Of several
-- recordings, the first by id is taken.
-- grain: song_id
-- rows: 0
-- labels: track_id
-- columns:
--   song_id    title / lead artist, lower case, as in marts.chart_weekly
--   track_id   recording
--   artist_id  credited artist
--   linked_by  how the song was linked: track_id, isrc or name
-- checks:
--   linked_by in ('track_id', 'isrc', 'name')
-- reconcile:
--   (select count(*) from marts.chart_songs) = (select count(distinct links.song_id) from marts.chart_songs as links inner join intermediate.charted_songs as songs on links.song_id = songs.song_id)
with catalogue as (
    select
        track_id,
        artist_id,
        upper(replace(isrc, '-', '')) as isrc,
        replace(replace(lower(trim(replace(title, '’', ''''))), 'ß', 'ss'), 'ς', 'σ') as title,
        replace(replace(lower(trim(replace(artist_name, '’', ''''))), 'ß', 'ss'), 'ς', 'σ') as artist_name
    from marts.track_features
    where is_known
),

songs as (
    select distinct
        song_id,
        track_id,
        upper(replace(isrc, '-', '')) as isrc,
        replace(replace(lower(trim(replace(title, '’', ''''))), 'ß', 'ss'), 'ς', 'σ') as title,
        replace(replace(lower(trim(replace(artist, '’', ''''))), 'ß', 'ss'), 'ς', 'σ') as artist,
        lead_artist
    from intermediate.charted_songs
),

links as (
    select
        songs.song_id,
        catalogue.track_id,
        catalogue.artist_id,
        'track_id' as linked_by,
        1 as choice
    from songs
    inner join catalogue on songs.track_id = catalogue.track_id
    union all
    select
        songs.song_id,
        catalogue.track_id,
        catalogue.artist_id,
        'isrc' as linked_by,
        2 as choice
    from songs
    inner join catalogue on songs.isrc = catalogue.isrc
    union all
    select
        songs.song_id,
        catalogue.track_id,
        catalogue.artist_id,
        'name' as linked_by,
        3 as choice
    from songs
    inner join catalogue on songs.title = catalogue.title
    where catalogue.artist_name = songs.artist or catalogue.artist_name = songs.lead_artist
),

ranked as (
    select
        song_id,
        track_id,
        artist_id,
        linked_by,
        row_number() over (partition by song_id order by choice asc, track_id asc) as link_no
    from links
)

select
    song_id,
    track_id,
    artist_id,
    linked_by
from ranked
where link_no = 1
