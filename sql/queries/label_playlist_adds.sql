-- Adds of a label's recordings to playlists by closed week. Weeks with few listeners are closed together with later ones, so
-- that adds are also given per day, as an average. Late rows that were counted for a week later are included.
-- params:
--   label  label id, every label where empty =
select
    label_id,
    from_day,
    to_day,
    (to_day - from_day + 1)::integer as n_days,
    case when count(value) = count(*) then sum(value)::bigint end as n_playlist_adds,
    case when count(value) = count(*) then sum(value) end / (to_day - from_day + 1) as adds_a_day,
    bool_or(is_withheld) as is_withheld
from marts.label_figures
where measure = 'n_playlist_adds' and dimension = 'week' and ($label = '' or label_id = $label)
group by label_id, from_day, to_day
order by label_id asc, to_day asc
