-- Plays per week of artists, or of an artist's recordings, in the last complete weeks of the log, for small curves: 0
-- where nothing was played.
-- params:
--   to         last day, the last of the log where empty =
--   artist_id  artist whose recordings are listed; artists are listed where empty =
--   weeks      weeks at most [weeks] = 12
--   floor      plays that an artist or a recording needs in these weeks [count] = 1
with days as (
    select
        coalesce(cast(nullif($to, '') as date), max(listen_date)) as last_day,
        min(listen_date) as first_day
    from marts.track_daily
),

weeks as (
    select distinct weekly.week_start
    from marts.artist_weekly as weekly
    cross join days
    where
        weekly.week_start between days.last_day - 7 * $weeks::integer - 5 and days.last_day - 6
        and weekly.week_start >= days.first_day
),

plays as (
    select
        artist_id as id,
        week_start,
        n_plays
    from marts.artist_weekly
    where $artist_id = ''
    union all
    select
        tracks.track_id as id,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        cast(sum(daily.n_plays) as bigint) as n_plays
    from marts.track_daily as daily
    inner join marts.track_features as tracks on daily.track_id = tracks.track_id
    where tracks.artist_id = $artist_id and $artist_id <> ''
    group by tracks.track_id, cast(date_trunc('week', daily.listen_date) as date)
),

played as (
    select plays.id
    from plays
    inner join weeks on plays.week_start = weeks.week_start
    group by plays.id
    having sum(plays.n_plays) >= $floor::integer
)

select
    played.id,
    weeks.week_start,
    coalesce(plays.n_plays, 0) as n_plays
from played
cross join weeks
left join plays on played.id = plays.id and weeks.week_start = plays.week_start
order by played.id asc, weeks.week_start asc
