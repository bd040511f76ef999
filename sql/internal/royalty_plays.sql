-- Plays of a period by listener and recording, with the listener's country, for both models of royalties.
-- params:
--   since  first day of the period
--   until  last day of the period
select
    daily.user_id,
    daily.track_id,
    listeners.country as territory,
    cast(sum(daily.n_plays) as bigint) as n_plays
from marts.interactions_daily as daily
inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
where daily.listen_date between $since and $until and daily.n_plays > 0
group by daily.user_id, daily.track_id, listeners.country
