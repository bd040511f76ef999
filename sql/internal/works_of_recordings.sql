-- The works of each recording: those of the registry, and the one that its metadata names by code, if the registry does
-- not know it: else whoever states the code of another's work would own it.
with registered as (
    select distinct work_key
    from marts.work_recordings
)

select
    track_id,
    work_key
from marts.work_recordings
union distinct
select
    tracks.track_id,
    tracks.iswc as work_key
from marts.track_features as tracks
left join registered on tracks.iswc = registered.work_key
where tracks.iswc is not null and registered.work_key is null
order by track_id asc, work_key asc
