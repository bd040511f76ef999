-- Ranks of songs over the last editions of a chart, songs of the newest edition first; null where an edition does not
-- list the song.
-- params:
--   chart  chart
--   to     the last edition shown is the last up to this day, the newest where empty =
--   n      editions at most [count] = 26
with editions as (
    select
        chart_date,
        row_number() over (order by chart_date desc) as edition_no
    from marts.chart_weekly
    where chart = $chart and ($to = '' or chart_date <= cast(nullif($to, '') as date))
    group by chart_date
),

listed as (
    select
        weeks.song_id,
        weeks.chart_date,
        weeks.title,
        weeks.artist,
        weeks.rank,
        editions.edition_no
    from marts.chart_weekly as weeks
    inner join editions on weeks.chart_date = editions.chart_date
    where weeks.chart = $chart and editions.edition_no <= $n::integer
),

songs as (
    select
        song_id,
        concat(arg_min(title, edition_no), ', ', arg_min(artist, edition_no)) as name,
        min(case when edition_no = 1 then rank end) as last_rank,
        min(rank) as best_rank,
        min(chart_date) as first_date,
        max(chart_date) as last_date
    from listed
    group by song_id
)

select
    editions.chart_date,
    songs.name,
    listed.rank,
    songs.song_id
from songs
inner join editions on editions.chart_date between songs.first_date and songs.last_date
left join listed on songs.song_id = listed.song_id and editions.chart_date = listed.chart_date
order by songs.last_rank nulls last, songs.best_rank, songs.song_id, editions.chart_date
