-- Plays of an artist in the last days, and their change from an equally long period before (whole weeks earlier). Nothing
-- is compared with a period that began before the log, and no period begins before it.
-- params:
--   artist_id  artist
--   days       length of each period: 7 or 28 [d]
with last_day as (
    select
        max(listen_date) as day,
        min(listen_date) as first_day
    from marts.track_daily
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
        max(greatest(last_day.day - $days::integer + 1, last_day.first_day)) as first_date,
        max(last_day.day) as last_date,
        coalesce(sum(case when daily.listen_date > last_day.day - $days::integer then daily.n_plays end), 0)::bigint as n_now,
        sum(
            case
                when
                    daily.listen_date between last_day.day - 2 * $days::integer + 1 and last_day.day - $days::integer
                    and last_day.day - 2 * $days::integer + 1 >= last_day.first_day
                    then daily.n_plays
            end
        ) as n_before
    from last_day
    left join own as daily on daily.listen_date <= last_day.day
)

select
    first_date,
    last_date,
    n_now,
    n_now / nullif(n_before, 0) - 1 as change
from sums
where last_date is not null
