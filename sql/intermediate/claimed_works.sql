-- Every work that a source describes, claims or links, and which of them are the same: works with the same valid ISWC.
-- grain: source, work_id
-- rows: 0
-- columns:
--   source          who states it
--   work_id         number of the work at the source
--   work_key        the ISWC where its check digit is right, else source/work_id
--   title           title, null where none
--   iswc            ISWC as claimed, null where none
--   is_wrong_code   whether the check digit of the ISWC is wrong
-- checks:
--   work_key is not null
-- reconcile:
--   (select count(*) from intermediate.claimed_works) >= (select count(*) from staging.works)
with mentioned as (
    select
        source,
        work_id
    from staging.works
    union distinct
    select
        source,
        work_id
    from intermediate.registered_shares
    union distinct
    select
        source,
        work_id
    from intermediate.registered_recordings
),

digits as (
    select
        source,
        work_id,
        title,
        iswc,
        cast(substring(iswc, 11, 1) as integer) as check_digit,
        1 + cast(substring(iswc, 2, 1) as integer) + 2 * cast(substring(iswc, 3, 1) as integer)
        + 3 * cast(substring(iswc, 4, 1) as integer) + 4 * cast(substring(iswc, 5, 1) as integer)
        + 5 * cast(substring(iswc, 6, 1) as integer) + 6 * cast(substring(iswc, 7, 1) as integer)
        + 7 * cast(substring(iswc, 8, 1) as integer) + 8 * cast(substring(iswc, 9, 1) as integer)
        + 9 * cast(substring(iswc, 10, 1) as integer) as weighted_sum
    from staging.works
)

select
    mentioned.source,
    mentioned.work_id,
    case
        when mod(digits.weighted_sum + digits.check_digit, 10) = 0 then digits.iswc
        else concat(mentioned.source, '/', mentioned.work_id)
    end as work_key,
    digits.title,
    digits.iswc,
    coalesce(mod(digits.weighted_sum + digits.check_digit, 10) <> 0, false) as is_wrong_code
from mentioned
left join digits on mentioned.source = digits.source and mentioned.work_id = digits.work_id
