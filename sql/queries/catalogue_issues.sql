-- Catalogue issues by label, those with most plays first.
-- params:
--   label  label id, every label where empty =
select
    coalesce(health.label_id, 'unknown') as label_id,
    health.kind,
    health.issue,
    count(*) as n_tracks,
    sum(health.n_plays)::bigint as n_plays
from marts.catalogue_health as health
where $label = '' or health.label_id = $label
group by coalesce(health.label_id, 'unknown'), health.kind, health.issue
order by n_plays desc, label_id asc, health.issue asc
