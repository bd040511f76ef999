-- A label's plays by listener, recording and day, with the groups of listeners that an audit of its figures attacks.
-- params:
--   label  label id
select
    tracks.label_id,
    tracks.artist_id,
    daily.track_id,
    daily.user_id,
    daily.listen_date,
    listeners.country,
    listeners.age_band,
    daily.n_plays
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
where tracks.label_id = $label and daily.n_plays > 0
order by daily.listen_date asc, daily.user_id asc, daily.track_id asc
