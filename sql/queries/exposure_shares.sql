-- Who is shown, beside who is there and who is listened to: shares of the groups of one kind, the largest first.
-- params:
--   kind  as in marts.track_groups = artist_gender
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
