-- Labels: the newest row per label.
-- grain: label_id
-- rows: 0
-- columns:
--   label_id    label
--   name        name as delivered
--   label_type  major, independent or unknown
--   country     ISO 3166-1 alpha-2, null where unknown
-- checks:
--   label_type in ('major', 'independent', 'unknown')
-- reconcile:
--   (select count(*) from staging.labels) = (select count(distinct label_id) from raw.labels_versions)
select
    label_id,
    name,
    label_type,
    country
from raw.labels
