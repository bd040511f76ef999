-- Catalogue issues, most frequent first.
-- params:
--   label  label id, every label where empty =
--   kind   missing, improbable, conflicting, duplicate or sound, every kind where empty =
select
    kind,
    issue,
    count(*) as n_tracks,
    sum(n_plays)::bigint as n_plays
from marts.catalogue_health
where ($label = '' or label_id = $label) and ($kind = '' or kind = $kind)
group by kind, issue
order by n_tracks desc, issue asc
