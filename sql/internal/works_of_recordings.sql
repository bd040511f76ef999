-- The works of each recording.
select
    track_id,
    work_key
from marts.work_recordings
order by track_id asc, work_key asc
