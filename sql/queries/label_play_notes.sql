-- Round numbers of plays that a label's artist or recording passed in its closed weeks, to be marked on a curve of them:
-- 1,000, 10,000 and so on, the greatest that was passed in a week, on its last day. Weeks with too few listeners have
-- no figure and are not counted. Oldest first.
-- params:
--   kind   artist or recording
--   id     artist id or track id
--   label  label id, every label where empty =
with weeks as (
    select
        to_day,
        sum(value)::bigint as n_plays,
        sum(sum(value)) over (order by to_day asc) as n_so_far
    from marts.label_figures
    where dimension = $kind and cell = $id and measure = 'n_plays' and ($label = '' or label_id = $label)
    group by to_day
    having not bool_and(is_late) and count(value) = count(*)
)

select
    to_day as day,
    'milestone' as kind,
    '' as title,
    'in closed weeks with a figure' as place,
    pow(10, floor(log10(n_so_far)))::bigint as n
from weeks
where n_so_far >= 1000 and n_so_far - n_plays < pow(10, floor(log10(n_so_far)))
order by to_day asc
