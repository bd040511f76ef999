-- Files with refused rows, those that could not be read at all first, then those with the most refused rows.
-- params:
--   since  first day of ingest
select
    source_table,
    source_file,
    sum(n_rows)::bigint as n_rows,
    list(distinct outcome order by outcome) as reasons
from marts.data_quality
where outcome not in ('accepted', 'duplicate') and ingested_on >= $since::date
group by source_table, source_file
order by source_table = 'unknown' desc, n_rows desc, source_file asc
