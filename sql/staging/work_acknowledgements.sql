-- What became of registrations at societies: the newest acknowledgement per society and work of the submitter.
-- grain: source, work_id
-- rows: 0
-- columns:
--   source           society, as the sender of the file
--   work_id          number of the work at its submitter
--   work_number      number of the work at the society, null where none
--   status           status of CWR, such as AS (accepted), CO (conflict) or RJ (rejected)
--   acknowledged_at  day of the acknowledgement (UTC)
-- checks:
--   length(status) = 2
-- reconcile:
--   (select count(*) from staging.work_acknowledgements) = (select count(*) from (select distinct source, work_id from raw.work_acknowledgements_versions) as stated)
with numbered as (
    select
        source,
        work_id,
        work_number,
        status,
        acknowledged_at,
        row_number() over (partition by source, work_id order by acknowledged_at desc) as newest_no
    from raw.work_acknowledgements
)

select
    source,
    work_id,
    work_number,
    status,
    acknowledged_at
from numbered
where newest_no = 1
