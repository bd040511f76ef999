-- Weekly chart history of each song. Peaks, counts and entries are counted from the chart's first edition in the data
-- up to this one; weeks are the chart's own editions. In that first edition, nobody knows which songs are new or where
-- they entered. Charts are public: a label's file has the last 52 editions of every chart, complete.
-- grain: chart, song_id, chart_date
-- rows: 0
-- labels: all
-- only: is_recent
-- columns:
--   chart        chart
--   song_id      title / lead artist, lower case; marts.chart_songs has the catalogue's recording
--   chart_date   date of the edition
--   week_no      number of the edition, from 1 [count]
--   title        title as published
--   artist       artist credit as published
--   lead_artist  the first artist of the credit, lower case
--   rank         rank, from 1 [count]
--   rank_before  rank in the edition before, null where not listed [count]
--   change       ranks gained since the edition before (negative: lost), null where not listed then [count]
--   entry_rank   rank in the first edition that lists it, null if that is the chart's first in the data [count]
--   peak_rank    best rank so far, since the chart's first edition in the data [count]
--   n_weeks      editions that list it so far, this one included [count]
--   is_new       whether this is the first edition that lists it, and not the chart's first in the data
--   is_reentry   whether an earlier edition lists it, but not the one before
--   value        what the chart counts, such as streams or sales, null where not delivered
--   is_recent    whether the edition is one of the chart's last 52
-- checks:
--   peak_rank <= rank
--   entry_rank is null or peak_rank <= entry_rank
--   n_weeks between 1 and week_no
--   not (is_new and is_reentry)
--   (rank_before is null) = (week_no = 1 or is_new or is_reentry)
-- reconcile:
--   (select count(*) from marts.chart_weekly) = (select count(*) from intermediate.charted_songs)
with histories as (
    select
        chart,
        song_id,
        chart_date,
        week_no,
        title,
        artist,
        lead_artist,
        rank,
        lag(rank) over history as last_rank,
        lag(week_no) over history as last_week_no,
        min(rank) over history as peak_rank,
        row_number() over history as n_weeks,
        value,
        max(week_no) over (partition by chart) as last_edition
    from intermediate.charted_songs
    window history as (partition by chart, song_id order by week_no asc)
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
    from histories
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
    max(case when n_weeks = 1 and week_no > 1 then rank end) over (partition by chart, song_id) as entry_rank,
    peak_rank,
    n_weeks,
    n_weeks = 1 and week_no > 1 as is_new,
    rank_before is null and n_weeks > 1 as is_reentry,
    value,
    week_no > last_edition - 52 as is_recent
from moved
