-- Names of the parties that claim shares of works, as sources write them.
-- grain: party_key, party_name
-- rows: 0
-- columns:
--   party_key   the party, see marts.work_owners
--   party_name  a name of it; several where sources differ
--   n_works     works that it claims under this name [count]
-- checks:
--   n_works > 0
-- reconcile:
--   (select count(*) from marts.rights_parties) = (select count(*) from (select distinct party_key, party_name from intermediate.claims where party_name is not null) as named)
select
    party_key,
    party_name,
    count(distinct work_key) as n_works
from intermediate.claims
where party_name is not null
group by party_key, party_name
