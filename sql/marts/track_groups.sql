-- Groups of each recording, by kind: the basis of fairness metrics and exposure targets. Unknown is a group. Popularity
-- (intermediate.track_popularity): the head are the most popular recordings, which have the first 20 % of all likes;
-- the tail those with the last 20 % and those without any. A like is a pair of a listener and a recording with a weight
-- above zero. Age: current in the calendar month of release and the 17 after it, catalogue in the next 18, then deep
-- catalogue, in the month of the last day of the log. Popularity too is of that day; marts.group_metrics uses that of
-- each run's training window.
-- grain: track_id, group_kind
-- columns:
--   track_id    recording
--   group_kind  artist_gender, artist_country, label_type, language, popularity, age or gender_and_country
--   group_name  the group; 'small cells' for combinations of gender and country with fewer than 20 recordings
-- checks:
--   group_name <> ''
-- reconcile:
--   (select count(*) from marts.track_groups) = 7 * (select count(*) from marts.track_features)
with known as (
    select
        tracks.track_id,
        tracks.artist_gender,
        tracks.artist_country,
        tracks.label_type,
        tracks.language,
        (year(log_span.last_date) - year(tracks.release_date)) * 12
        + month(log_span.last_date) - month(tracks.release_date) as n_months,
        count(*) over (partition by tracks.artist_gender, tracks.artist_country) as n_in_cell
    from marts.track_features as tracks
    cross join intermediate.log_span as log_span
)

select
    track_id,
    'artist_gender' as group_kind,
    artist_gender as group_name
from known
union all
select
    track_id,
    'artist_country' as group_kind,
    artist_country as group_name
from known
union all
select
    track_id,
    'label_type' as group_kind,
    label_type as group_name
from known
union all
select
    track_id,
    'language' as group_kind,
    language as group_name
from known
union all
select
    track_id,
    'popularity' as group_kind,
    popularity as group_name
from intermediate.track_popularity
union all
select
    track_id,
    'age' as group_kind,
    case
        when n_months is null then 'unknown'
        when n_months < 18 then 'current'
        when n_months < 36 then 'catalogue'
        else 'deep catalogue'
    end as group_name
from known
union all
select
    track_id,
    'gender_and_country' as group_kind,
    case when n_in_cell < 20 then 'small cells' else concat(artist_gender, ', ', artist_country) end as group_name
from known
