-- Number of listeners of each recording, over all days.
-- grain: track_id
-- columns:
--   track_id     recording
--   n_listeners  listeners with at least one play [count]
--   n_likers     listeners whose weight in marts.interactions is above zero [count]
-- checks:
--   n_listeners >= 0 and n_likers >= 0
-- reconcile:
--   (select coalesce(sum(n_listeners), 0) from intermediate.track_audience) = (select count(*) from marts.interactions where n_plays > 0)
select
    track_id,
    count(case when n_plays > 0 then 1 end) as n_listeners,
    count(case when round(weight, 6) > 0 then 1 end) as n_likers
from marts.interactions
group by track_id
