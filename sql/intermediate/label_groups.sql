-- Groups of each label's recordings: those of marts.track_groups, and all recordings together; and the groups of all
-- recordings, with or without a label.
-- grain: track_id, label_id, group_kind
-- rows: 0
-- columns:
--   track_id    recording
--   label_id    label, '' for the groups of all recordings
--   group_kind  all, or a kind of marts.track_groups
--   group_name  all, or the group
-- checks:
--   label_id is not null
-- reconcile:
--   (select count(*) from intermediate.label_groups where group_kind = 'all') = (select count(*) from marts.track_features where label_id is not null)
select
    track_id,
    label_id,
    'all' as group_kind,
    'all' as group_name
from marts.track_features
where label_id is not null
union all
select
    tracks.track_id,
    tracks.label_id,
    track_groups.group_kind,
    track_groups.group_name
from marts.track_groups as track_groups
inner join marts.track_features as tracks on track_groups.track_id = tracks.track_id
where tracks.label_id is not null
union all
select
    track_id,
    '' as label_id,
    group_kind,
    group_name
from marts.track_groups
