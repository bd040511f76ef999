-- The artist and the label of each recording, one row each.
-- grain: track_id, owner
-- rows: 0
-- columns:
--   track_id  recording
--   owner     artist or label
--   owner_id  the artist or the label
-- checks:
--   owner_id is not null
-- reconcile:
--   (select count(*) from intermediate.track_owners where owner = 'label') = (select count(*) from marts.track_features where label_id is not null)
select
    track_id,
    'artist' as owner,
    artist_id as owner_id
from marts.track_features
where artist_id is not null
union all
select
    track_id,
    'label' as owner,
    label_id as owner_id
from marts.track_features
where label_id is not null
