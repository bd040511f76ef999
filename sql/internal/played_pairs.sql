-- Pairs of listener and recording with a play in a window of days.
-- params:
--   since  first day
--   until  last day
select
    user_id,
    track_id
from marts.interactions_daily
where listen_date between $since and $until
group by user_id, track_id
having sum(n_plays) > 0
