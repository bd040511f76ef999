-- Artists whose last complete week is unusually low, lowest z first. z is the distance of ln(plays + 1/2) from the
-- median of the weeks before, in units of the greater of 1.4826 x the median absolute deviation and the counting noise.
-- A week that began before the log is not part of the history. A missing week means no plays, except in a label's file,
-- where the week may have been withheld and is ignored.
-- params:
--   z      greatest z, below 0 [standard deviations] = -4
--   floor  listeners that the artist's median week needs [count] = 30
--   weeks  weeks of history, of which the artist needs at least four [weeks] = 8
--   n      artists at most [count] = 10
with last_week as (
    select max(week_start) as week_start
    from marts.artist_weekly
    where week_start + 6 <= (select build.as_of from meta.build as build)
),

history as (
    select
        weekly.artist_id,
        ln(weekly.n_plays + 0.5) as level,
        median(ln(weekly.n_plays + 0.5)) over (partition by weekly.artist_id) as usual,
        weekly.n_plays,
        weekly.n_listeners
    from marts.artist_weekly as weekly
    cross join last_week
    where
        weekly.week_start < last_week.week_start
        and weekly.week_start >= last_week.week_start - 7 * $weeks::integer
        and weekly.week_start >= (select min(daily.listen_date) from marts.track_daily as daily)
        and weekly.n_listeners > 0
),

spreads as (
    select
        artist_id,
        any_value(usual) as usual,
        median(n_plays) as usual_plays,
        greatest(1.4826 * median(abs(level - usual)), sqrt(median(n_plays / n_listeners) / median(n_plays))) as spread
    from history
    group by artist_id
    having count(*) >= 4 and median(n_listeners) >= $floor::double
)

select
    spreads.artist_id,
    artists.name,
    last_week.week_start,
    weekly.n_listeners,
    weekly.n_plays,
    spreads.usual_plays,
    (ln(coalesce(weekly.n_plays, 0) + 0.5) - spreads.usual) / spreads.spread as z
from spreads
cross join last_week
inner join marts.artist_profile as artists on spreads.artist_id = artists.artist_id
left join marts.artist_weekly as weekly
    on spreads.artist_id = weekly.artist_id and last_week.week_start = weekly.week_start
where
    (ln(coalesce(weekly.n_plays, 0) + 0.5) - spreads.usual) / spreads.spread <= $z::double
    and (
        weekly.n_plays is not null
        or exists (
            select 1
            from meta.tables as tables
            where tables.name = 'marts.interactions'
        )
    )
order by z asc, spreads.artist_id asc
limit $n::integer
