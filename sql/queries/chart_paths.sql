-- The places of songs in the last editions of a chart up to a day, those of its newest edition first; null where an edition
-- does not list one.
-- params:
--   chart  chart
--   to     the last edition up to this day, the newest where empty =
--   n      how many editions [count] = 26
with editions as (
    select
        chart_date,
        row_number() over (order by chart_date desc) as place
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
        editions.place
    from marts.chart_weekly as weeks
    inner join editions on weeks.chart_date = editions.chart_date
    where weeks.chart = $chart and editions.place <= $n::integer
),

songs as (
    select
        song_id,
        concat(arg_min(title, place), ', ', arg_min(artist, place)) as name,
        min(case when place = 1 then rank end) as last_rank,
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
