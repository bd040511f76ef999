-- Retention of each artist's listeners: cohorts by the month of their first play of the artist, and how many played the
-- artist in each later month. In the log's first month, nobody knows who had played the artist before the log began:
-- its cohort is not one of new listeners, unless the artist's first release is in the log.
-- grain: artist_id, cohort_month, months_since
-- rows: 0
-- columns:
--   artist_id     artist
--   cohort_month  first day of the month of the first play (market time zone)
--   months_since  months since then, 0 for that month itself [count]
--   n_cohort      listeners in the cohort [count]
--   n_listeners   listeners of the cohort with a play in this month [count]
--   share         n_listeners / n_cohort [0..1]
--   is_complete   whether the log covers the whole month
--   is_new        whether the cohort's first plays are new: false for the log's first month, unless all recordings of the artist were released since the log began
-- checks:
--   n_listeners between 1 and n_cohort
--   months_since > 0 or n_listeners = n_cohort
--   is_new is not null
-- reconcile:
--   (select coalesce(sum(n_cohort), 0) from marts.retention where months_since = 0) = (select count(*) from (select distinct tracks.artist_id, daily.user_id from marts.interactions_daily as daily inner join marts.track_features as tracks on daily.track_id = tracks.track_id where daily.n_plays > 0 and tracks.artist_id is not null) as pairs)
with months as (
    select distinct
        tracks.artist_id,
        daily.user_id,
        cast(date_trunc('month', daily.listen_date) as date) as month_start
    from marts.interactions_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    where daily.n_plays > 0 and tracks.artist_id is not null
),

cohorts as (
    select
        artist_id,
        user_id,
        month_start,
        min(month_start) over (partition by artist_id, user_id) as cohort_month
    from months
),

counts as (
    select
        artist_id,
        cohort_month,
        month_start,
        count(*) as n_listeners
    from cohorts
    group by artist_id, cohort_month, month_start
),

releases as (
    select
        artist_id,
        case when count(release_date) = count(*) then min(release_date) end as first_date
    from marts.track_features
    where artist_id is not null
    group by artist_id
),

sizes as (
    select
        artist_id,
        cohort_month,
        n_listeners as n_cohort
    from counts
    where month_start = cohort_month
)

select
    counts.artist_id,
    counts.cohort_month,
    cast(
        (year(counts.month_start) - year(counts.cohort_month)) * 12
        + month(counts.month_start) - month(counts.cohort_month) as bigint
    ) as months_since,
    sizes.n_cohort,
    counts.n_listeners,
    1.0 * counts.n_listeners / sizes.n_cohort as share,
    counts.month_start < date_trunc('month', log_span.last_date + 1) as is_complete,
    counts.cohort_month > log_span.first_date or coalesce(releases.first_date >= log_span.first_date, false) as is_new
from counts
inner join sizes on counts.artist_id = sizes.artist_id and counts.cohort_month = sizes.cohort_month
inner join releases on counts.artist_id = releases.artist_id
cross join intermediate.log_span as log_span
