-- Why a recording cannot be on a listener's list: the filters that keep it away; none where only rank or rules did.
-- params:
--   user_id   listener (pseudonymous id)
--   track_id  recording
with asked as (
    select
        listeners.user_id,
        listeners.country,
        tracks.track_id,
        tracks.is_known,
        tracks.withdrawn_at,
        tracks.available_in
    from marts.listener_profile as listeners
    cross join marts.track_features as tracks
    where listeners.user_id = $user_id and tracks.track_id = $track_id
)

select 'played or skipped already' as reason
from asked
inner join marts.interactions as interactions
    on asked.user_id = interactions.user_id and asked.track_id = interactions.track_id
union all
select 'withdrawn' as reason
from asked
where withdrawn_at is not null
union all
select 'not available in ' || country as reason
from asked
where available_in is not null and not list_contains(available_in, country)
union all
select 'nothing known but its id' as reason
from asked
where not is_known
order by reason asc
