-- Recordings with a licence of any kind, and whether one permits a use in a territory on a day.
-- params:
--   use_type   stream, download, broadcast, synchronisation, identification or training
--   territory  ISO 3166-1 alpha-2; WW is the world, of which a term may leave out countries
--   day        the day
with named as (
    select distinct track_id
    from marts.licensed_territories
    where use_type = $use_type and territory = $territory
),

terms as (
    select
        track_id,
        territory = $territory as is_named
    from marts.licensed_territories
    where use_type = $use_type and $day between first_day and last_day and territory in ($territory, 'WW')
),

permitted as (
    select distinct terms.track_id
    from terms
    left join named on terms.track_id = named.track_id
    where terms.is_named or named.track_id is null
),

licensed as (
    select distinct track_id
    from marts.licensed_territories
)

select
    licensed.track_id,
    permitted.track_id is not null as is_cleared
from licensed
left join permitted on licensed.track_id = permitted.track_id
order by licensed.track_id asc
