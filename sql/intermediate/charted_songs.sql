-- The song at each rank of a chart. A song is a title and a lead artist: guest artists, capitals and the kind of
-- apostrophe do not count. A song listed twice in one edition keeps its better rank. Weeks are the chart's own
-- editions.
-- grain: chart, song_id, chart_date
-- rows: 0
-- columns:
--   chart        chart
--   song_id      title / lead artist, lower case
--   chart_date   date of the edition
--   week_no      number of the edition, from 1 [count]
--   rank         rank, from 1 [count]
--   title        title as published
--   artist       artist credit as published
--   lead_artist  the first artist of the credit, lower case
--   track_id     recording as delivered, null where not delivered
--   isrc         ISRC as delivered, null where not delivered
--   value        what the chart counts, such as streams or sales, null where not delivered
-- checks:
--   week_no >= 1
--   rank >= 1
-- reconcile:
--   (select count(*) from (select distinct chart, chart_date from intermediate.charted_songs) as weeks) = (select count(*) from (select distinct chart, chart_date from staging.charts) as weeks)
with leads as (
    select
        chart,
        chart_date,
        rank,
        title,
        artist,
        track_id,
        isrc,
        value,
        replace(replace(lower(trim(replace(title, '’', ''''))), 'ß', 'ss'), 'ς', 'σ') as name,
        split_part(
            split_part(
                split_part(replace(replace(lower(trim(replace(artist, '’', ''''))), 'ß', 'ss'), 'ς', 'σ'), ' featuring ', 1), ' & ', 1
            ),
            ', ',
            1
        ) as first_artist
    from staging.charts
),

songs as (
    select
        chart,
        chart_date,
        rank,
        title,
        artist,
        track_id,
        isrc,
        value,
        name,
        split_part(split_part(split_part(first_artist, ' x ', 1), ' with ', 1), ' duet ', 1) as lead_artist
    from leads
),

ranked as (
    select
        chart,
        concat(name, ' / ', lead_artist) as song_id,
        chart_date,
        dense_rank() over (partition by chart order by chart_date asc) as week_no,
        rank,
        title,
        artist,
        lead_artist,
        track_id,
        isrc,
        value,
        row_number() over (partition by chart, chart_date, name, lead_artist order by rank asc) as rank_no
    from songs
)

select
    chart,
    song_id,
    chart_date,
    week_no,
    rank,
    title,
    artist,
    lead_artist,
    track_id,
    isrc,
    value
from ranked
where rank_no = 1
