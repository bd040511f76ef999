-- Counts of other channels (social media, video, radio, concerts) that rise: recordings and artists whose mean per day
-- over seven days is at least twice, and at least four robust standard deviations above, that of at least three of the
-- eight weeks before (see intermediate.signal_scores), beside the plays of the same days.
-- grain: day, source, track_id, delivered_artist_id, metric
-- rows: 0
-- labels: artist_id
-- listening: n_plays, n_plays_before
-- columns:
--   day                  last of the seven days
--   source               channel, such as radio
--   track_id             recording, null where the count is of an artist
--   artist_id            artist as delivered, or of the recording where the catalogue has it
--   delivered_artist_id  artist as delivered, null where the count is of a recording
--   metric               what is counted, such as spins or views
--   value_per_day        mean of the days with a count among the seven
--   usual_per_day        median of the weeks before
--   z                    robust z-score of the seven days [standard deviations]
--   n_weeks              weeks with a count before, at most eight [count]
--   n_plays              plays of the recording or artist in the seven days [count]
--   n_plays_before       plays in the seven days before [count]
-- checks:
--   z >= 4
--   value_per_day >= 2 * usual_per_day
--   n_weeks between 3 and 8
--   n_plays >= 0
--   n_plays_before >= 0
-- reconcile:
--   (select count(*) from marts.signal_rises) = (select count(*) from intermediate.signal_scores where z >= 4)
with rises as (
    select distinct
        day,
        track_id,
        artist_id
    from intermediate.signal_scores
    where z >= 4
),

recordings as (
    select
        day,
        track_id,
        artist_id,
        track_id as played_id
    from rises
    where track_id is not null
    union all
    select
        rises.day,
        rises.track_id,
        rises.artist_id,
        tracks.track_id as played_id
    from rises
    inner join marts.track_features as tracks on rises.artist_id = tracks.artist_id
    where rises.track_id is null
),

played as (
    select
        recordings.day,
        recordings.track_id,
        recordings.artist_id,
        sum(case when daily.listen_date > recordings.day - 7 then daily.n_plays else 0 end) as n_plays,
        sum(case when daily.listen_date <= recordings.day - 7 then daily.n_plays else 0 end) as n_plays_before
    from recordings
    inner join marts.track_daily as daily
        on recordings.played_id = daily.track_id and daily.listen_date between recordings.day - 13 and recordings.day
    group by recordings.day, recordings.track_id, recordings.artist_id
)

select
    scores.day,
    scores.source,
    scores.track_id,
    coalesce(scores.artist_id, tracks.artist_id) as artist_id,
    scores.artist_id as delivered_artist_id,
    scores.metric,
    scores.value_per_day,
    scores.usual_per_day,
    scores.z,
    scores.n_weeks,
    cast(coalesce(played.n_plays, 0) as bigint) as n_plays,
    cast(coalesce(played.n_plays_before, 0) as bigint) as n_plays_before
from intermediate.signal_scores as scores
left join staging.tracks as tracks on scores.track_id = tracks.track_id
left join played
    on
        scores.day = played.day
        and scores.track_id is not distinct from played.track_id
        and scores.artist_id is not distinct from played.artist_id
where scores.z >= 4
