-- Shares of the groups of one kind in the catalogue, in plays and in exposure, and the ratio of the last two with its
-- 95 % interval, largest catalogue share first (see marts.exposure).
-- params:
--   kind  a kind of marts.track_groups = artist_gender
select
    group_name,
    n_tracks,
    n_listed,
    catalogue_share,
    listening_share,
    exposure_share,
    target_share,
    ratio,
    low,
    high
from marts.exposure
where group_kind = $kind
order by catalogue_share desc, group_name asc
