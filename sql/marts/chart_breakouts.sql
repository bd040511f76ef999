-- Which songs of each chart's last edition, now outside the top ten, look like reaching it within six editions: by what
-- songs in the same position did in the last three years (recsys/analytics/chart_breakouts.py says how,
-- bench/analytics/hot100.py how well). As of the run; none of a chart with fewer than 20 song-weeks that led there, or
-- that did not. Where an edition was corrected since, songs that it no longer lists, or lists in the top ten, are left out.
-- grain: chart, song_id
-- rows: 0
-- labels: all
-- columns:
--   chart              chart
--   song_id            title / lead artist, lower case; marts.chart_songs has the catalogue's recording
--   chart_date         day of the chart's last edition
--   title              title as published
--   artist             artist credit as published
--   rank               place, from 1 [count]
--   rank_before        place in the edition before, null where not listed [count]
--   peak_rank          best place so far [count]
--   n_weeks            editions that list it so far [count]
--   probability        that it is in the top ten in one of the next six editions [0..1]
--   story              what kind of week it has, in words
--   n_similar          songs' weeks of the same story, move and band of ranks in the last three years [count]
--   n_similar_reached  those of them that led to the top ten [count]
-- checks:
--   rank > 10
--   probability between 0 and 1
--   n_similar_reached between 0 and n_similar
-- reconcile:
--   (select count(*) from marts.chart_breakouts) <= (select count(*) from raw.chart_breakouts)
select
    found.chart,
    found.song_id,
    found.chart_date,
    weeks.title,
    weeks.artist,
    weeks.rank,
    weeks.rank_before,
    weeks.peak_rank,
    weeks.n_weeks,
    found.probability,
    found.story,
    found.n_similar,
    found.n_similar_reached
from raw.chart_breakouts as found
inner join marts.chart_weekly as weeks
    on found.chart = weeks.chart and found.song_id = weeks.song_id and found.chart_date = weeks.chart_date
where weeks.rank > 10
