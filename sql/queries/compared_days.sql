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

plays as (
    select
        daily.listen_date,
        sum(daily.n_plays)::bigint as n_plays,
        sum(daily.n_skips)::bigint as n_skips,
        sum(daily.n_saves)::bigint as n_saves
    from marts.track_features as tracks
    inner join marts.track_daily as daily on tracks.track_id = daily.track_id
    where case when $kind = 'artist' then tracks.artist_id else tracks.track_id end = $id
    group by daily.listen_date
),

named as (
    select
        case when $kind = 'recording' then max(track_id) end as track_id,
        max(artist_id) as artist_id,
        coalesce(case when $kind = 'artist' then max(artist_name) else max(title) end, $id) as name,
        max(artist_name) as artist_name,
        max(case when release_date <= (select max(log.last_date) from log_days as log) then release_date end) as release_date,
        least(
            min(release_date), (select min(case when plays.n_plays > 0 then plays.listen_date end) from plays)
        ) as first_date
    from marts.track_features
    where case when $kind = 'artist' then artist_id else track_id end = $id
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
