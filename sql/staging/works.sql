-- Works as sources describe them: the newest registration per source and its own number of the work.
-- grain: source, work_id
-- rows: 0
-- columns:
--   source         who states it: the sender of a CWR file, or the publisher
--   work_id        number of the work at the source
--   title          title, null where none
--   iswc           ISWC as claimed, such as T0345246801, whatever its check digit, null where none
--   registered_at  time of the registration (UTC)
-- checks:
--   registered_at is not null
-- reconcile:
--   (select count(*) from staging.works) = (select count(*) from (select distinct source, work_id from raw.works_versions) as named)
with numbered as (
    select
        works.source,
        works.work_id,
        works.title,
        works.iswc,
        works.registered_at,
        row_number() over (
            partition by works.source, works.work_id
            order by works.registered_at desc, deliveries.delivery_no desc, works.batch_no desc
        ) as newest_no
    from raw.works_versions as works
    inner join staging.deliveries as deliveries on works.batch = deliveries.batch
)

select
    source,
    work_id,
    title,
    iswc,
    registered_at
from numbered
where newest_no = 1
