-- Songs outside a chart's top ten that may reach it within six editions, most likely first, with 95 % intervals and the
-- number of similar song-weeks that led there (see marts.chart_breakouts).
-- params:
--   chart  chart, every chart where empty =
--   which  'first' for songs that were never in the top ten, all where empty =
--   n      songs per chart at most [count] = 20
with ranked as (
    select
        candidates.chart,
        candidates.chart_date,
        concat(candidates.title, ', ', candidates.artist) as name,
        candidates.rank,
        candidates.rank_before,
        candidates.peak_rank,
        candidates.n_weeks,
        candidates.probability,
        candidates.low,
        candidates.high,
        candidates.story,
        candidates.n_similar,
        candidates.n_similar_reached,
        candidates.n_editions,
        candidates.song_id,
        songs.track_id,
        row_number() over (partition by candidates.chart order by candidates.probability desc, candidates.song_id asc) as probability_rank
    from marts.chart_breakouts as candidates
    left join marts.chart_songs as songs on candidates.song_id = songs.song_id
    where ($chart = '' or candidates.chart = $chart) and ($which = '' or candidates.peak_rank > 10)
)

select
    chart,
    chart_date,
    name,
    rank,
    probability,
    low,
    high,
    story,
    n_similar,
    n_similar_reached,
    n_editions,
    track_id is not null as is_own,
    rank_before,
    peak_rank,
    n_weeks,
    song_id,
    track_id
from ranked
where probability_rank <= $n::integer
order by chart, probability_rank
