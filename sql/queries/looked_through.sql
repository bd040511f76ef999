-- Audio searched for recordings of the catalogue, per nightly run, the last one first.
-- params:
--   since  first value of checked_on (YYYY-MM-DD) = 1970-01-01
select
    checked_on,
    source_kind,
    count(*) as n_files,
    count(failure) as n_not_heard,
    sum(n_uses)::bigint as n_uses,
    sum(source_duration_s) / 3600 as heard_h,
    max(failure) as failure
from marts.match_checks
where checked_on >= $since::date
group by checked_on, source_kind
order by checked_on desc, source_kind asc
