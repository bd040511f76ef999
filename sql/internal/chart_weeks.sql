-- Every song's place in every edition of every chart.
select
    chart,
    song_id,
    lead_artist,
    chart_date,
    week_no,
    rank
from marts.chart_weekly
