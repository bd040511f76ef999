-- Labels: the newest row of each.
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
--   (select count(*) from staging.labels) = (select count(distinct label_id) from raw.labels)
with versions as (
    select
        label_id,
        name,
        label_type,
        country,
        row_number() over (partition by label_id order by batch_no desc) as version_no
    from raw.labels
)

select
    label_id,
    name,
    label_type,
    country
from versions
where version_no = 1
