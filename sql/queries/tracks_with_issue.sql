-- Recordings with a given catalogue issue, most played first.
-- params:
--   issue  an issue of marts.catalogue_health
--   label  label id, every label where empty =
--   n      recordings at most [count] = 200
select
    health.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.label_id,
    tracks.label_name,
    health.detail,
    health.n_plays
from marts.catalogue_health as health
inner join marts.track_features as tracks on health.track_id = tracks.track_id
where health.issue = $issue and ($label = '' or health.label_id = $label)
order by health.n_plays desc nulls last, health.track_id asc
limit $n::integer
