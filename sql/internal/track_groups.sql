-- Groups of each recording, by kind (see marts.track_groups).
select
    track_id,
    group_kind,
    group_name
from marts.track_groups
order by group_kind asc, track_id asc
