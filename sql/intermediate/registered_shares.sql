-- Claims to works: those of the newest registration per source and work, which replaces all earlier claims of its source
-- to the work. Of one registration that was delivered again, those of the newest delivery of the same right, so
-- that the claims to two rights may come in two files.
-- grain: source, work_id, claim_no, right_type, territory
-- rows: 0
-- columns:
--   source         who states it
--   work_id        number of the work at the source
--   claim_no       number of the claim within the work
--   right_type     performing, mechanical or synchronisation
--   territory      ISO 3166-1 alpha-2; WW holds wherever the same claim has no row of its own
--   kind           ownership, or collection for an owner in a territory
--   role           writer, publisher, administrator, sub_publisher or unknown
--   party_id       number of the party at the source
--   party_name     name of the party, null where none
--   ipi            IPI name number as claimed, whatever its check digits, null where none
--   ipi_base       IPI base number as claimed, whatever its check digit, null where none
--   share_bp       share [0.01 %]
--   first_day      first day of the term; 0001-01-01 where none is stated
--   last_day       last day of the term; 9999-12-31 where none is stated
--   registered_at  time of the registration (UTC)
-- checks:
--   share_bp between 0 and 10000
--   right_type in ('performing', 'mechanical', 'synchronisation')
--   kind in ('ownership', 'collection')
-- reconcile:
--   (select count(*) from (select distinct source, work_id from intermediate.registered_shares) as stated) <= (select count(*) from (select distinct source, work_id from raw.work_shares_versions) as delivered)
with stated as (
    select
        shares.source,
        shares.work_id,
        shares.claim_no,
        shares.right_type,
        shares.territory,
        shares.kind,
        shares.role,
        shares.party_id,
        shares.party_name,
        shares.ipi,
        shares.ipi_base,
        cast(round(shares.share * 100) as bigint) as share_bp,
        coalesce(shares.valid_from, date '0001-01-01') as first_day,
        coalesce(shares.valid_until, date '9999-12-31') as last_day,
        shares.registered_at,
        shares.batch,
        shares.batch_no,
        newest.is_repeated
    from raw.work_shares_versions as shares
    inner join intermediate.work_registrations as newest
        on
            shares.source = newest.source
            and shares.work_id = newest.work_id
            and shares.registered_at = newest.registered_at
),

numbered as (
    select
        stated.source,
        stated.work_id,
        stated.claim_no,
        stated.right_type,
        stated.territory,
        stated.batch_no,
        rank() over (
            partition by stated.source, stated.work_id, stated.right_type
            order by deliveries.delivery_no desc
        ) as delivery_rank,
        row_number() over (
            partition by stated.source, stated.work_id, stated.claim_no, stated.right_type, stated.territory
            order by deliveries.delivery_no desc, stated.batch_no desc
        ) as newest_no
    from stated
    inner join staging.deliveries as deliveries on stated.batch = deliveries.batch
    where stated.is_repeated
)

select
    stated.source,
    stated.work_id,
    stated.claim_no,
    stated.right_type,
    stated.territory,
    stated.kind,
    stated.role,
    stated.party_id,
    stated.party_name,
    stated.ipi,
    stated.ipi_base,
    stated.share_bp,
    stated.first_day,
    stated.last_day,
    stated.registered_at
from stated
left join numbered
    on
        stated.source = numbered.source
        and stated.work_id = numbered.work_id
        and stated.claim_no = numbered.claim_no
        and stated.right_type = numbered.right_type
        and stated.territory = numbered.territory
        and stated.batch_no = numbered.batch_no
where not stated.is_repeated or (numbered.delivery_rank = 1 and numbered.newest_no = 1)
