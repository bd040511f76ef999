-- Who owns the works of a recording, by right, territory and period, whoever states it.
-- params:
--   track  id of the recording
select
    owners.work_key,
    owners.party_key as party,
    owners.share_bp / 10000.0 as share,
    owners.right_type,
    owners.territory,
    owners.first_source as source,
    nullif(owners.first_day, date '0001-01-01') as first_day,
    nullif(owners.last_day, date '9999-12-31') as last_day,
    cast(null as date) as registered_on
from marts.work_owners as owners
inner join marts.work_recordings as works on owners.work_key = works.work_key
where owners.kind = 'ownership' and works.track_id = $track
order by
    owners.work_key asc, owners.right_type asc, owners.territory asc, share desc, party asc, owners.first_day asc
