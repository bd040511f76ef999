-- Recordings of the catalogue whose licences for streaming have all ended, by territory. A recording that is withdrawn or
-- taken down when the last one ends is no longer offered there, and neither is one whose available_in lacks the territory.
-- grain: track_id, territory
-- rows: 0
-- columns:
--   track_id   the recording
--   territory  ISO 3166-1 alpha-2 as a term names it; WW is every other country
--   first_day  first day without a licence
--   evidence   source, licence and term of one that has ended
-- checks:
--   first_day is not null
-- reconcile:
--   (select count(*) from (select distinct track_id from intermediate.lapsed_licences) as found) <= (select count(*) from (select distinct track_id from marts.licensed_territories) as licensed)
with ended as (
    select
        track_id,
        territory,
        max(last_day) as last_day,
        max(term) as term
    from marts.licensed_territories
    where use_type = 'stream' and term is not null
    group by track_id, territory
    having max(last_day) < date '9999-12-31'
)

select
    ended.track_id,
    ended.territory,
    ended.last_day + 1 as first_day,
    ended.term as evidence
from ended
inner join staging.tracks as tracks on ended.track_id = tracks.track_id
left join staging.takedowns as takedowns on ended.track_id = takedowns.track_id
where
    (tracks.withdrawn_at is null or tracks.withdrawn_at > ended.last_day + 1)
    and (takedowns.taken_down_at is null or takedowns.taken_down_at > ended.last_day + 1)
    -- codes of two letters in a list, written as [DE, FR]
    and (tracks.available_in is null or cast(tracks.available_in as varchar) like concat('%', ended.territory, '%'))
