-- Editions of every chart, newest first.
select
    chart,
    chart_date,
    count(*) as n_songs
from marts.chart_weekly
group by chart, chart_date
order by chart asc, chart_date desc
