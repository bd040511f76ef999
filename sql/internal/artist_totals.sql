-- Plays of an artist in the last days, and their change from an equally long period before (whole weeks earlier). Nothing
-- is compared with a period that began before the log, and no period begins before it.
-- params:
--   artist_id  artist
--   days       length of each period: 7 or 28 [d]
with log as (
    select
        min(listen_date) as first_day,
        max(listen_date) as last_day
    from marts.track_daily
),

periods as (
    select
        last_day as last_date,
        greatest(last_day - $days::integer + 1, first_day) as first_date,
        last_day - $days::integer as before_until,
        last_day - 2 * $days::integer as before_after,
        last_day - 2 * $days::integer + 1 >= first_day as has_before
    from log
    where last_day is not null
),

own as (
    select
        listen_date,
        n_plays
    from marts.artist_daily
    where artist_id = $artist_id
),

sums as (
    select
        periods.first_date,
        periods.last_date,
        coalesce(sum(case when own.listen_date > periods.before_until then own.n_plays end), 0)::bigint as n_now,
        sum(
            case
                when
                    periods.has_before and own.listen_date > periods.before_after
                    and own.listen_date <= periods.before_until
                    then own.n_plays
            end
        ) as n_before
    from periods
    left join own on periods.last_date >= own.listen_date
    group by periods.first_date, periods.last_date
)

select
    first_date,
    last_date,
    n_now,
    n_now / nullif(n_before, 0) - 1 as change
from sums
