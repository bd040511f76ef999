-- Songs of each chart's last edition, now outside the top ten, that may reach it within six editions. The probability
-- comes from what songs in several kinds of similar situations did in the last three years, or as far back as the data
-- go (method: recsys/analytics/chart_breakouts.py, accuracy: bench/analytics/hot100.py). Its interval is wide where
-- there are few of them: never quote the probability without it. State of the run; a chart has no rows if fewer than 20
-- song-weeks reached the top ten, or fewer than 20 did not. If an edition was corrected after the run, songs that it no
-- longer lists, or now lists in the top ten, are left out.
-- grain: chart, song_id
-- rows: 0
-- labels: all
-- columns:
--   chart              chart
--   song_id            title / lead artist, lower case; marts.chart_songs has the catalogue's recording
--   chart_date         date of the chart's last edition
--   title              title as published
--   artist             artist credit as published
--   rank               rank, from 1 [count]
--   rank_before        rank in the edition before, null where not listed [count]
--   peak_rank          best rank so far [count]
--   n_weeks            editions that list the song so far [count]
--   probability        probability of the top ten in one of the next six editions [0..1]
--   low                lower end of its 95 % interval, null in results of earlier versions
--   high               upper end
--   story              kind of chart week, in words; peaks, absences and first weeks are counted from the chart's first edition in the data
--   n_similar          song-weeks of the last n_editions editions with the same story, move and band of ranks [count]
--   n_similar_reached  of these, song-weeks that led to the top ten [count]
--   n_editions         editions that are counted: those with a known outcome of the last three years, fewer in a short chart; null in results of earlier versions [count]
-- checks:
--   rank > 10
--   probability between 0 and 1
--   low is null or low <= probability and probability <= high
--   n_similar_reached between 0 and n_similar
-- reconcile:
--   (select count(*) from marts.chart_breakouts) <= (select count(*) from raw.chart_breakouts)
select
    candidates.chart,
    candidates.song_id,
    candidates.chart_date,
    weeks.title,
    weeks.artist,
    weeks.rank,
    weeks.rank_before,
    weeks.peak_rank,
    weeks.n_weeks,
    candidates.probability,
    candidates.low,
    candidates.high,
    candidates.story,
    candidates.n_similar,
    candidates.n_similar_reached,
    candidates.n_editions
from raw.chart_breakouts as candidates
inner join marts.chart_weekly as weeks
    on candidates.chart = weeks.chart and candidates.song_id = weeks.song_id and candidates.chart_date = weeks.chart_date
where weeks.rank > 10
