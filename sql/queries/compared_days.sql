-- Plays, skips and saves of an artist or a recording on each of its days, for charts that compare several. Its days begin
-- with the log, or with its first release or first play if that is later; a day without a play has 0. Days are counted
-- from the release date, which is day 1; of an artist, from that of the newest recording.
-- params:
--   kind   artist or recording
--   id     artist id or track id
--   by     date: the last weeks of the log, or release: the first weeks since the release = date
--   weeks  weeks [count] = 13
--   days   window of plays per day, which ends with each day [d] = 7
with log_days as (
    select
        listen_date,
        min(listen_date) over () as first_date,
        max(listen_date) over () as last_date
    from marts.track_daily
    group by listen_date
),

items as (
    select
        track_id,
        title,
        artist_id,
        artist_name,
        release_date
    from marts.track_features
    where case when $kind = 'artist' then artist_id else track_id end = $id
),

plays as (
    select
        listen_date,
        n_plays,
        n_skips,
        n_saves
    from marts.artist_daily
    where $kind = 'artist' and artist_id = $id
    union all
    select
        listen_date,
        n_plays,
        n_skips,
        n_saves
    from marts.track_daily
    where $kind = 'recording' and track_id = $id
),

first_plays as (
    select min(listen_date) as first_date
    from plays
    where n_plays > 0
),

named as (
    select
        case when $kind = 'recording' then max(items.track_id) end as track_id,
        max(items.artist_id) as artist_id,
        coalesce(case when $kind = 'artist' then max(items.artist_name) else max(items.title) end, $id) as name,
        max(items.artist_name) as artist_name,
        max(case when items.release_date <= (select max(log.last_date) from log_days as log) then items.release_date end) as release_date,
        least(min(items.release_date), min(first_plays.first_date)) as first_date
    from items
    cross join first_plays
),

days as (
    select
        log_days.listen_date,
        log_days.last_date,
        (log_days.listen_date - greatest(named.first_date, log_days.first_date) + 1)::integer as age_days,
        (log_days.listen_date - named.release_date + 1)::integer as day_no,
        coalesce(plays.n_plays, 0) as n_plays,
        coalesce(plays.n_skips, 0) as n_skips,
        coalesce(plays.n_saves, 0) as n_saves
    from named
    inner join log_days on named.first_date <= log_days.listen_date
    left join plays on log_days.listen_date = plays.listen_date
),

windows as (
    select
        days.listen_date,
        sum(window_days.n_plays) / least($days::integer, max(days.age_days)) as plays_a_day
    from days
    inner join days as window_days on window_days.listen_date between days.listen_date - $days::integer + 1 and days.listen_date
    group by days.listen_date
)

select
    named.track_id,
    named.artist_id,
    named.name,
    named.artist_name,
    named.release_date,
    days.listen_date,
    days.day_no,
    1 as n_days,
    days.n_plays,
    days.n_skips,
    days.n_saves,
    windows.plays_a_day
from days
cross join named
inner join windows on days.listen_date = windows.listen_date
where
    case
        when $by = 'release' then days.day_no between 1 and 7 * $weeks::integer
        else days.listen_date > days.last_date - 7 * $weeks::integer
    end
order by days.listen_date asc
