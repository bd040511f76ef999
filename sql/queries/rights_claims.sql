-- What sources claim of works with a conflict, without collectors: of a work, of a recording, or of a source's own number.
-- params:
--   subject  work, recording, or number of a party or work at a source, as recsys rights check lists it
--   source   the source that has this number, empty for works and recordings =
select distinct
    work_key,
    coalesce(party_name, party_key) as party,
    share_bp / 10000.0 as share,
    right_type,
    territory,
    source,
    nullif(first_day, date '0001-01-01') as first_day,
    nullif(last_day, date '9999-12-31') as last_day,
    registered_on
from marts.disputed_claims
where kind = 'ownership' and ($subject in (work_key, track_id) or ($subject in (party_id, work_id) and source = $source))
order by
    work_key asc, right_type asc, territory asc, share desc, party asc, source asc, first_day asc
