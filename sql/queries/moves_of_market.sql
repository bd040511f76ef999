-- Days and weeks on which the whole market, all plays of the home, moved unusually (see marts.market_moves), newest first.
-- params:
--   as_of  last day of the period, the day of the build where empty =
--   days   length of the period in which they end [d] = 91
--   n      days and weeks at most [count] = 100
select
    moves.from_day,
    moves.to_day,
    moves.change,
    moves.n_plays,
    moves.n_weeks
from marts.market_moves as moves
cross join meta.build as build
where
    moves.label_id is null
    and moves.to_day <= coalesce(cast(nullif($as_of, '') as date), build.as_of)
    and moves.to_day > coalesce(cast(nullif($as_of, '') as date), build.as_of) - $days::integer
order by moves.to_day desc, moves.from_day asc
limit $n::integer
