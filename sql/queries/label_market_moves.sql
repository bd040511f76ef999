-- Days and weeks on which the plays of all other labels moved unusually (see marts.market_moves), newest first, beside those
-- of the label: a rise that the whole market had is none of its own.
-- params:
--   label  label id, every label where empty =
--   days   length of the period in which they end, back from the day of the build [d] = 91
--   n      days and weeks at most [count] = 100
select
    moves.label_id,
    moves.from_day,
    moves.to_day,
    moves.change,
    moves.own_change,
    moves.n_weeks
from marts.market_moves as moves
cross join meta.build as build
where
    moves.label_id is not null
    and ($label = '' or moves.label_id = $label)
    and moves.to_day > build.as_of - $days::integer
order by moves.to_day desc, moves.from_day asc, moves.label_id asc
limit $n::integer
