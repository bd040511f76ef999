-- Shares of the groups of one kind in the catalogue, in plays and in exposure, largest catalogue share first.
-- params:
--   kind  a kind of marts.track_groups = artist_gender
select
    group_name,
    n_tracks,
    n_listed,
    catalogue_share,
    listening_share,
    exposure_share,
    target_share
from marts.exposure
where group_kind = $kind
order by catalogue_share desc, group_name asc
