-- Plays of each of the last 28 days that has any.
-- params:
--   as_of  last day of the logs that is included
select
    listen_date,
    sum(n_plays)::bigint as n_plays
from marts.track_daily
where listen_date > $as_of::date - 28
group by listen_date
having sum(n_plays) > 0
