-- Where and when the use of a recording is permitted, term by term, in each territory that any of its terms for the use
-- names; WW is every other country. A territory in which nothing is permitted has one row without a term.
-- grain: track_id, use_type, territory, term
-- rows: 0
-- columns:
--   track_id   recording of the catalogue
--   use_type   stream, download, broadcast, synchronisation, identification, training or other
--   territory  ISO 3166-1 alpha-2 as a term for the use names it; WW is every other country
--   term       source, licence and number of a term that permits it; null where none does
--   first_day  first day of the term; 0001-01-01 where none is stated, null without a term
--   last_day   last day of the term; 9999-12-31 where none is stated, null without a term
-- checks:
--   (term is null) = (first_day is null)
-- reconcile:
--   (select count(*) from (select distinct track_id, use_type, territory from marts.licensed_territories) as found) = (select count(*) from (select distinct track_id, use_type, territory from marts.track_licences) as named)
with terms as (
    select
        track_id,
        use_type,
        territory,
        concat(source, ': ', licence_id, ' / ', cast(term_no as varchar)) as term,
        is_granted,
        first_day,
        last_day
    from marts.track_licences
),

places as (
    select distinct
        track_id,
        use_type,
        territory
    from terms
),

permitted as (
    select
        track_id,
        use_type,
        territory,
        term,
        first_day,
        last_day
    from terms
    where is_granted
    union all
    select
        places.track_id,
        places.use_type,
        places.territory,
        world.term,
        world.first_day,
        world.last_day
    from places
    inner join terms as world
        on places.track_id = world.track_id and places.use_type = world.use_type and world.territory = 'WW'
    left join terms as own
        on
            world.track_id = own.track_id
            and world.use_type = own.use_type
            and world.term = own.term
            and places.territory = own.territory
    where world.is_granted and own.track_id is null
)

select
    places.track_id,
    places.use_type,
    places.territory,
    permitted.term,
    permitted.first_day,
    permitted.last_day
from places
left join permitted
    on
        places.track_id = permitted.track_id
        and places.use_type = permitted.use_type
        and places.territory = permitted.territory
