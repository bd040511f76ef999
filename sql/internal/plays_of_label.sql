-- What listeners did with a label's recordings, by recording and day, with the groups that an audit of its figures attacks.
-- params:
--   label  label id
with labelled as (
    select
        label_id,
        artist_id,
        track_id
    from marts.track_features
    where label_id = $label
)

select
    labelled.label_id,
    labelled.artist_id,
    labelled.track_id,
    daily.user_id,
    daily.listen_date,
    listeners.country,
    listeners.age_band,
    listeners.gender,
    daily.n_plays,
    daily.n_skips,
    daily.n_saves,
    daily.n_likes,
    daily.n_playlist_adds,
    daily.ms_played,
    daily.n_active_plays,
    daily.n_algorithmic_plays
from marts.interactions_daily as daily
inner join labelled on daily.track_id = labelled.track_id
inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
order by daily.listen_date asc, daily.user_id asc, daily.track_id asc
