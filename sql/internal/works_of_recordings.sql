-- The works of each recording: those of the registry, and the one that its metadata names by code.
select
    track_id,
    work_key
from marts.work_recordings
union distinct
select
    track_id,
    iswc as work_key
from marts.track_features
where iswc is not null
order by track_id asc, work_key asc
