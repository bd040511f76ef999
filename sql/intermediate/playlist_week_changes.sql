-- Change of each recording's plays around each week with playlist adds: the four weeks after it compared with the four
-- before. Weeks whose four weeks before and after are not all in the log are left out, and so are recordings released
-- after the first day of the four weeks before.
-- grain: week_no, track_id
-- rows: 0
-- columns:
--   week_no     week of the adds, Monday to Sunday, counted from the week of 1970-01-01 [weeks]
--   track_id    recording with at least four plays before
--   genre       main genre or unknown
--   n_before    plays of the four weeks before [count]
--   n_after     plays of the four weeks after [count]
--   doubling    floor(log2(n_before)); only recordings with the same value are compared
--   change      ln(n_after + 1/2) - ln(n_before + 1/2)
--   is_control  whether it was added to no playlist from four weeks before to four weeks after
-- checks:
--   n_before >= 4
-- reconcile:
--   (select count(distinct week_no) from intermediate.playlist_week_changes) <= (select count(distinct week_no) from intermediate.playlist_adds)
with weekly_plays as (
    select
        weekly.track_id,
        tracks.genre,
        tracks.release_date,
        cast(floor(epoch(cast(weekly.week_start as timestamp)) / 604800) as bigint) as week_no,
        weekly.n_plays
    from intermediate.track_weekly as weekly
    inner join marts.track_features as tracks on weekly.track_id = tracks.track_id
),

cohorts as (
    select distinct
        adds.week_no,
        cast(date_trunc('week', cast(adds.added_at as date)) as date) as week_start
    from intermediate.playlist_adds as adds
    cross join intermediate.log_span as log_span
    where
        cast(date_trunc('week', cast(adds.added_at as date)) as date) - 28 >= log_span.first_date
        and cast(date_trunc('week', cast(adds.added_at as date)) as date) + 34 <= log_span.last_date
),

changes as (
    select
        cohorts.week_no,
        weekly_plays.track_id,
        weekly_plays.genre,
        sum(case when weekly_plays.week_no < cohorts.week_no then weekly_plays.n_plays else 0 end) as n_before,
        sum(case when weekly_plays.week_no > cohorts.week_no then weekly_plays.n_plays else 0 end) as n_after
    from cohorts
    inner join weekly_plays on weekly_plays.week_no between cohorts.week_no - 4 and cohorts.week_no + 4
    where weekly_plays.release_date is null or weekly_plays.release_date <= cohorts.week_start - 28
    group by cohorts.week_no, weekly_plays.track_id, weekly_plays.genre
),

added as (
    select distinct
        cohorts.week_no,
        adds.track_id
    from cohorts
    inner join intermediate.playlist_adds as adds on adds.week_no between cohorts.week_no - 4 and cohorts.week_no + 4
)

select
    changes.week_no,
    changes.track_id,
    changes.genre,
    cast(changes.n_before as bigint) as n_before,
    cast(changes.n_after as bigint) as n_after,
    floor(ln(changes.n_before) / ln(2)) as doubling,
    ln(changes.n_after + 0.5) - ln(changes.n_before + 0.5) as change,
    added.track_id is null as is_control
from changes
left join added on changes.week_no = added.week_no and changes.track_id = added.track_id
where changes.n_before >= 4
