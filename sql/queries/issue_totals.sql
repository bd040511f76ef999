-- Catalogue issues, most frequent first.
-- params:
--   label  label id, every label where empty =
select
    issue,
    count(*) as n_tracks,
    sum(n_plays)::bigint as n_plays
from marts.catalogue_health
where $label = '' or label_id = $label
group by issue
order by n_tracks desc, issue asc
