-- Names of parties and titles of works, for the pages of statements: of several names the one with most works, of several
-- titles the first.
with parties as (
    select
        party_key,
        party_name,
        row_number() over (partition by party_key order by n_works desc, party_name asc) as place
    from marts.rights_parties
)

select
    'owner' as kind,
    party_key as id,
    party_name as name
from parties
where place = 1
union all
select
    'work' as kind,
    work_key as id,
    min(title) as name
from marts.work_recordings
where title is not null
group by work_key
