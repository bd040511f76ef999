-- Outcome of the rows of source files, by table.
select
    source_table,
    sum(case when outcome = 'accepted' then n_rows else 0 end)::bigint as n_accepted,
    sum(case when outcome = 'duplicate' then n_rows else 0 end)::bigint as n_duplicate,
    sum(case when outcome not in ('accepted', 'duplicate') then n_rows else 0 end)::bigint as n_refused,
    sum(case when outcome not in ('accepted', 'duplicate') then n_rows else 0 end) / sum(n_rows) as refused_share
from marts.data_quality
where outcome not in ('replayed', 'dropped', 'expired', 'undone')
group by source_table
order by n_refused desc, source_table asc
