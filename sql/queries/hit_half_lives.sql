-- How fast hits fade, by chart and decade of their peak (see marts.chart_half_lives).
-- params:
--   chart  chart, every chart where empty =
select
    chart,
    concat(decade, 's') as decade,
    n_songs,
    round(half_life_weeks, 1) as half_life_weeks,
    round(r2, 3) as r2,
    weeks_to_half
from marts.chart_half_lives
where $chart = '' or chart = $chart
order by chart, decade
