-- A song's week on a chart. Everything counts from the chart's first edition here up to this one; weeks are the chart's own
-- editions. A chart is public: a label's file has the last 52 editions of every chart, whole.
-- grain: chart, song_id, chart_date
-- rows: 0
-- labels: all
-- only: is_recent
-- columns:
--   chart        chart
--   song_id      title / lead artist, lower case; marts.chart_songs has the catalogue's recording
--   chart_date   the day that the chart is of
--   week_no      number of the edition, from 1 [count]
--   title        title as published
--   artist       artist credit as published
--   lead_artist  the first artist of the credit, lower case
--   rank         place, from 1 [count]
--   rank_before  place in the edition before, null where not listed [count]
--   change       places won since (lost where negative), null where not listed [count]
--   entry_rank   place when it first entered [count]
--   peak_rank    best place so far [count]
--   n_weeks      editions that list it so far, this one included [count]
--   is_new       whether it enters for the first time
--   is_reentry   whether it was listed before, and not in the edition before
--   value        what the chart counts, such as streams or sales, null where not told
--   is_recent    whether the edition is one of the chart's last 52
-- checks:
--   peak_rank <= rank
--   peak_rank <= entry_rank
--   n_weeks between 1 and week_no
--   not (is_new and is_reentry)
--   (rank_before is null) = (week_no = 1 or is_new or is_reentry)
-- reconcile:
--   (select count(*) from marts.chart_weekly) = (select count(*) from intermediate.charted_songs)
with told as (
    select
        chart,
        song_id,
        chart_date,
        week_no,
        title,
        artist,
        lead_artist,
        rank,
        lag(rank) over story as last_rank,
        lag(week_no) over story as last_week_no,
        min(rank) over story as peak_rank,
        row_number() over story as n_weeks,
        value,
        max(week_no) over (partition by chart) as last_edition
    from intermediate.charted_songs
    window story as (partition by chart, song_id order by week_no asc)
),

moved as (
    select
        chart,
        song_id,
        chart_date,
        week_no,
        title,
        artist,
        lead_artist,
        rank,
        case when last_week_no = week_no - 1 then last_rank end as rank_before,
        peak_rank,
        n_weeks,
        value,
        last_edition
    from told
)

select
    chart,
    song_id,
    chart_date,
    week_no,
    title,
    artist,
    lead_artist,
    rank,
    rank_before,
    rank_before - rank as change,
    max(case when n_weeks = 1 then rank end) over (partition by chart, song_id) as entry_rank,
    peak_rank,
    n_weeks,
    n_weeks = 1 as is_new,
    rank_before is null and n_weeks > 1 as is_reentry,
    value,
    week_no > last_edition - 52 as is_recent
from moved
