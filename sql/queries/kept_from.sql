-- Why recordings cannot be on a listener's list: the number of recordings that each exclusion removes.
-- params:
--   user_id  listener (pseudonymous id)
with listener as (
    select
        user_id,
        country,
        n_tracks
    from marts.listener_profile
    where user_id = $user_id
),

unlicensed as (
    select periods.track_id
    from marts.streaming_periods as periods
    inner join meta.build as build on build.as_of + 1 between periods.first_day and periods.last_day
    cross join listener
    group by periods.track_id, listener.country
    having not case
        when listener.country = 'unknown' then min(periods.is_permitted)
        else coalesce(
            max(case when periods.territory = listener.country then periods.is_permitted end),
            max(case when periods.territory = 'WW' then periods.is_permitted end)
        )
    end
)

select
    'played already' as reason,
    n_tracks
from listener
union all
select
    'withdrawn' as reason,
    count(*) as n_tracks
from marts.track_features
where withdrawn_at is not null
union all
select
    'not available in the listener''s country' as reason,
    count(*) as n_tracks
from marts.track_features as tracks
cross join listener
where tracks.available_in is not null and not list_contains(tracks.available_in, listener.country)
union all
select
    'no licence to stream it in the listener''s country' as reason,
    count(*) as n_tracks
from unlicensed
union all
select
    'nothing known but its id' as reason,
    count(*) as n_tracks
from marts.track_features
where not is_known
order by n_tracks desc, reason asc
