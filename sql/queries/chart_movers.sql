-- One edition of a chart with each song's movement since the edition before (null in the chart's first edition), and
-- whether the song is in the catalogue (in a label's file: in its own).
-- params:
--   chart  chart, the first by name where empty =
--   to     shows the last edition up to this day, the newest where empty =
with first_chart as (
    select coalesce(nullif($chart, ''), min(chart)) as chart
    from marts.chart_weekly
),

edition as (
    select
        weeks.chart,
        max(weeks.chart_date) as chart_date
    from marts.chart_weekly as weeks
    inner join first_chart on weeks.chart = first_chart.chart
    where $to = '' or weeks.chart_date <= cast(nullif($to, '') as date)
    group by weeks.chart
)

select
    weeks.rank,
    case
        when weeks.is_new then 'new'
        when weeks.is_reentry then 'back'
        when weeks.change = 0 then '='
        when weeks.change is not null then printf('%+d', weeks.change)
    end as moved,
    weeks.title,
    weeks.artist,
    songs.track_id is not null as is_own,
    weeks.rank_before,
    weeks.peak_rank,
    weeks.entry_rank,
    weeks.n_weeks,
    weeks.value,
    weeks.chart,
    weeks.chart_date,
    weeks.song_id,
    songs.track_id,
    songs.linked_by
from marts.chart_weekly as weeks
inner join edition on weeks.chart = edition.chart and weeks.chart_date = edition.chart_date
left join marts.chart_songs as songs on weeks.song_id = songs.song_id
order by weeks.rank, weeks.song_id
