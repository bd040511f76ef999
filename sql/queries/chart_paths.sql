-- The places of songs in the last editions of a chart up to a day; an edition that does not list one is left out.
-- params:
--   chart  chart
--   to     the last edition up to this day, the newest where empty =
--   n      how many editions [count] = 26
with editions as (
    select
        week_no,
        row_number() over (order by week_no desc) as place
    from marts.chart_weekly
    where chart = $chart and ($to = '' or chart_date <= cast(nullif($to, '') as date))
    group by week_no
)

select
    weeks.chart_date,
    weeks.song_id,
    weeks.title,
    weeks.artist,
    weeks.rank,
    weeks.change,
    weeks.n_weeks
from marts.chart_weekly as weeks
inner join editions on weeks.week_no = editions.week_no
where weeks.chart = $chart and editions.place <= $n::integer
order by weeks.song_id, weeks.chart_date
