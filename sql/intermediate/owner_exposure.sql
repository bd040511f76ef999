-- Exposure and plays of each artist and each label by listener, of listeners who were shown or played one of its recordings.
-- grain: owner, owner_id, user_id
-- rows: 0
-- columns:
--   owner     artist or label
--   owner_id  the artist or the label
--   user_id   listener (pseudonymous id)
--   exposure  sum over the listener's list positions, each 1 / log2(1 + rank)
--   n_plays   plays over all days [count]
-- checks:
--   exposure > 0 or n_plays > 0
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.owner_exposure where owner = 'label') = (select coalesce(sum(pairs.n_plays), 0) from intermediate.shown_and_played as pairs inner join marts.track_features as tracks on pairs.track_id = tracks.track_id where tracks.label_id is not null)
select
    owners.owner,
    owners.owner_id,
    pairs.user_id,
    sum(pairs.exposure) as exposure,
    sum(pairs.n_plays) as n_plays
from intermediate.shown_and_played as pairs
inner join intermediate.track_owners as owners on pairs.track_id = owners.track_id
group by owners.owner, owners.owner_id, pairs.user_id
