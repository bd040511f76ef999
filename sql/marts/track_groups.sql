-- Which group each recording is in, kind by kind: what fairness is measured by and what exposure targets name. Unknown is
-- a group like any other. Popularity: the head are the recordings that, most popular first, have the first 20 % of all
-- pairs of a listener and a recording they like, the tail those that have the last 20 % and all without any. Age: current
-- for 18 months after release, then catalogue, deep catalogue after 36, counted from the last day of the log.
-- grain: track_id, group_kind
-- columns:
--   track_id    recording
--   group_kind  artist_gender, artist_country, label_type, language, popularity, age or gender_and_country
--   group_name  the group; 'small cells' for combinations of fewer than 20 recordings
-- checks:
--   group_name <> ''
-- reconcile:
--   (select count(*) from marts.track_groups) = 7 * (select count(*) from marts.track_features)
with audiences as (
    select
        track_id,
        count(*) as n_listeners
    from marts.interactions
    where round(weight, 6) > 0
    group by track_id
),

last_day as (
    select max(listen_date) as listen_date from marts.interactions_daily
),

known as (
    select
        tracks.track_id,
        tracks.artist_gender,
        tracks.artist_country,
        tracks.label_type,
        tracks.language,
        coalesce(audiences.n_listeners, 0) as n_listeners,
        (year(last_day.listen_date) - year(tracks.release_date)) * 12
        + month(last_day.listen_date) - month(tracks.release_date) as n_months,
        count(*) over (partition by tracks.artist_gender, tracks.artist_country) as n_in_cell
    from marts.track_features as tracks
    cross join last_day
    left join audiences on tracks.track_id = audiences.track_id
),

taken as (
    select
        track_id,
        sum(n_listeners) over (
            order by n_listeners desc, track_id asc rows between unbounded preceding and current row
        ) - n_listeners as n_before,
        greatest(1, sum(n_listeners) over ()) as n_pairs
    from known
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
    case
        when n_before < 0.2 * n_pairs then 'head'
        when n_before < 0.8 * n_pairs then 'middle'
        else 'tail'
    end as group_name
from taken
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
