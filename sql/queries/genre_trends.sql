-- Weekly share of plays per genre or mood, and its growth over the four weeks before. A week that began before the log
-- is left out.
-- params:
--   kind  genre or mood = genre
--   from  first day, the first of the log where empty =
--   to    last day, the last of the log where empty =
select
    name,
    week_start,
    n_listeners,
    n_plays,
    share,
    growth
from marts.genre_weekly
where
    kind = $kind
    and week_start >= (select min(daily.listen_date) from marts.track_daily as daily)
    and ($from = '' or week_start >= cast(nullif($from, '') as date))
    and ($to = '' or week_start <= cast(nullif($to, '') as date))
order by week_start asc, share desc, name asc
