-- Listeners with a list, most active first, with their demographics; n_found counts all of them.
-- params:
--   n  listeners at most [count] = 200
with listed as (
    select distinct user_id from marts.recommendations
)

select
    profiles.user_id,
    profiles.country,
    profiles.age_band,
    profiles.gender,
    profiles.n_tracks,
    profiles.n_plays,
    count(*) over () as n_found
from marts.listener_profile as profiles
inner join listed on profiles.user_id = listed.user_id
order by profiles.n_plays desc, profiles.user_id asc
limit $n::integer
