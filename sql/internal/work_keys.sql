-- Works that somebody claims, or whose recordings are in the catalogue.
select work_key
from marts.work_recordings
union distinct
select work_key
from marts.work_owners
order by work_key asc
