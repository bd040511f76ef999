-- The days on which each listener played a recording that a label has now: what came before a week tells whether a
-- listener is new to the label.
select distinct
    tracks.label_id,
    daily.user_id,
    daily.listen_date
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where daily.n_plays > 0 and tracks.label_id is not null
