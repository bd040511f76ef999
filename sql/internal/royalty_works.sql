-- Works of each recording, for royalties.
select
    track_id,
    work_key
from marts.work_recordings
