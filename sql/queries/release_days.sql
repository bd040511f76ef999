-- Plays of a label's releases on each of their first days, newest release first; null for days after the log's last. Releases
-- (see marts.releases) before the log are left out, since their first days are not in it.
-- params:
--   label  label id
--   days   first days of each release [d] = 28
with log_days as (
    select
        row_number() over (order by listen_date asc) as day_no,
        min(listen_date) over () as first_date,
        max(listen_date) over () as last_date
    from marts.track_daily
    group by listen_date
),

releases as (
    select distinct
        release_id,
        title,
        artist_id,
        artist_name,
        release_date,
        n_recordings,
        kind
    from marts.releases
    inner join log_days on log_days.day_no = 1 and release_date between log_days.first_date and log_days.last_date
    where label_id = $label
),

plays as (
    select
        recordings.release_id,
        (daily.listen_date - recordings.release_date + 1)::integer as day_no,
        sum(daily.n_plays)::bigint as n_plays
    from marts.releases as recordings
    inner join marts.track_daily as daily
        on
            recordings.track_id = daily.track_id
            and daily.listen_date between recordings.release_date and recordings.release_date + $days::integer - 1
    where recordings.label_id = $label
    group by recordings.release_id, (daily.listen_date - recordings.release_date + 1)::integer
)

select
    releases.release_id,
    releases.title,
    releases.artist_id,
    releases.artist_name,
    releases.release_date,
    releases.kind,
    releases.n_recordings,
    log_days.day_no::integer as period_no,
    1 as n_days,
    releases.release_date + log_days.day_no::integer - 1 <= log_days.last_date as is_closed,
    false as is_withheld,
    case when releases.release_date + log_days.day_no::integer - 1 <= log_days.last_date then coalesce(plays.n_plays, 0) end as n_plays
from releases
inner join log_days on log_days.day_no <= $days::integer
left join plays on releases.release_id = plays.release_id and log_days.day_no = plays.day_no
order by releases.release_date desc, releases.release_id asc, log_days.day_no asc
