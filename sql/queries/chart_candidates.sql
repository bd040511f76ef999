-- Songs outside a chart's top ten that look like reaching it within six editions, the most likely first (see
-- marts.chart_breakouts).
-- params:
--   chart  chart, every chart where empty =
--   which  'first' for songs that never were in the top ten, all where empty =
--   n      how many of each chart [count] = 20
with ranked as (
    select
        found.chart,
        found.chart_date,
        concat(found.title, ', ', found.artist) as name,
        found.rank,
        found.rank_before,
        found.peak_rank,
        found.n_weeks,
        found.probability,
        found.story,
        found.n_similar,
        found.n_similar_reached,
        found.song_id,
        songs.track_id,
        row_number() over (partition by found.chart order by found.probability desc, found.song_id asc) as place
    from marts.chart_breakouts as found
    left join marts.chart_songs as songs on found.song_id = songs.song_id
    where ($chart = '' or found.chart = $chart) and ($which = '' or found.peak_rank > 10)
)

select
    chart,
    chart_date,
    name,
    rank,
    probability,
    story,
    n_similar,
    n_similar_reached,
    track_id is not null as is_own,
    rank_before,
    peak_rank,
    n_weeks,
    song_id,
    track_id
from ranked
where place <= $n::integer
order by chart, place
