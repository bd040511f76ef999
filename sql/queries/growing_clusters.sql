-- Growth of groups of recordings or listeners compared with the market, emerging ones first, then by the lower end of
-- the interval (see marts.emerging_clusters): below 1, a group shrinks.
-- params:
--   kind  tracks or listeners = tracks
--   n     groups at most [count] = 10
select
    name,
    is_emerging,
    n_listeners,
    round(listener_growth, 2) as listener_growth,
    round(listener_growth_low, 2) as listener_growth_low,
    round(listener_growth_high, 2) as listener_growth_high,
    n_plays,
    round(play_growth, 2) as play_growth,
    round(play_growth_low, 2) as play_growth_low,
    round(play_growth_high, 2) as play_growth_high,
    n_listeners_before,
    n_plays_before,
    n_members,
    community
from marts.emerging_clusters
where kind = $kind
order by is_emerging desc, least(listener_growth_low, play_growth_low) desc, community
limit $n::integer
