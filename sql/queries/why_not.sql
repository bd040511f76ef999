-- Why a recording cannot be on a listener's list: the exclusions that apply. No row if only its score or a rerank rule
-- kept it off.
-- params:
--   user_id   listener (pseudonymous id)
--   track_id  recording
with requested as (
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
),

copies as (
    select
        track_id,
        same_as
    from marts.duplicate_links
    union distinct
    select
        same_as as track_id,
        same_as
    from marts.duplicate_links
),

same_recording as (
    select
        requested.user_id,
        copies.track_id
    from requested
    left join marts.duplicate_links as own on requested.track_id = own.track_id
    inner join copies on coalesce(own.same_as, requested.track_id) = copies.same_as
    where copies.track_id <> requested.track_id
)

select 'played or skipped already' as reason
from requested
inner join marts.interactions as interactions
    on requested.user_id = interactions.user_id and requested.track_id = interactions.track_id
union all
select distinct 'a copy of it was played or skipped already' as reason
from same_recording
inner join marts.interactions as interactions
    on same_recording.user_id = interactions.user_id and same_recording.track_id = interactions.track_id
union all
select 'a copy of ' || links.same_as || ', which is listed where it is available' as reason
from requested
inner join marts.duplicate_links as links on requested.track_id = links.track_id
union all
select 'withdrawn' as reason
from requested
where withdrawn_at is not null
union all
select 'not available in the listener''s country' as reason
from requested
where available_in is not null and not list_contains(available_in, country)
union all
select 'no licence to stream it in the listener''s country' as reason
from requested
inner join marts.streaming_periods as periods on requested.track_id = periods.track_id
inner join meta.build as build on build.as_of + 1 between periods.first_day and periods.last_day
group by requested.country
having
    not case
        when requested.country = 'unknown' then min(periods.is_permitted)
        else coalesce(
            max(case when periods.territory = requested.country then periods.is_permitted end),
            max(case when periods.territory = 'WW' then periods.is_permitted end)
        )
    end
union all
select 'nothing known but its id' as reason
from requested
where not is_known
order by reason asc
