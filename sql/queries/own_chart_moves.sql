-- Recordings of the catalogue (in a label's file: its own) on the newest edition of each chart, with their movement since
-- the edition before, highest first; charts of which no edition is from the last days are left out.
-- params:
--   days  days before the day of the build from which an edition counts as current [d] = 28
--   n     recordings at most [count] = 100
with newest as (
    select
        editions.chart,
        max(editions.chart_date) as chart_date
    from marts.chart_weekly as editions
    cross join meta.build as build
    where editions.chart_date > build.as_of - $days::integer
    group by editions.chart
)

select
    weeks.chart,
    weeks.chart_date,
    weeks.rank,
    weeks.rank_before,
    weeks.is_new,
    weeks.is_reentry,
    weeks.title,
    weeks.artist,
    songs.track_id
from marts.chart_weekly as weeks
inner join newest on weeks.chart = newest.chart and weeks.chart_date = newest.chart_date
inner join marts.chart_songs as songs on weeks.song_id = songs.song_id
order by weeks.rank asc, weeks.chart asc, weeks.song_id asc
limit $n::integer
