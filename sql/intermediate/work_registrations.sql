-- The newest registration of each work by each source: what it states replaces all that the source stated before, also
-- where nothing of it was accepted but the work itself.
-- grain: source, work_id
-- rows: 0
-- columns:
--   source         who states it
--   work_id        number of the work at the source
--   registered_at  time of the newest registration (UTC)
--   is_repeated    whether claims to it came in several batches; null where none came
-- checks:
--   registered_at is not null
-- reconcile:
--   (select count(*) from staging.works) <= (select count(*) from intermediate.work_registrations)
with stated as (
    select
        source,
        work_id,
        registered_at,
        cast(null as bigint) as batch_no
    from raw.works_versions
    union all
    select
        source,
        work_id,
        registered_at,
        batch_no
    from raw.work_shares_versions
    union all
    select
        source,
        work_id,
        registered_at,
        cast(null as bigint) as batch_no
    from raw.work_recordings_versions
    where registered_at is not null
)

select
    source,
    work_id,
    max(registered_at) as registered_at,
    min(batch_no) < max(batch_no) as is_repeated
from stated
group by source, work_id
