-- Rank of each song in each edition of each chart.
select
    chart,
    song_id,
    lead_artist,
    chart_date,
    week_no,
    rank
from marts.chart_weekly
