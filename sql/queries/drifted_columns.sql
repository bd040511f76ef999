-- Files of listens in which a column lacks unusually many or few values, the last file first.
-- params:
--   days  days of ingest up to the last one [d] = 7
select
    source_file,
    ingested_on,
    column_name,
    n_rows,
    share,
    expected_share,
    max_difference
from marts.column_drift
where
    is_unusual
    and ingested_on > (select max(files.ingested_on) from marts.column_drift as files) - $days::integer
order by batch_no desc, column_name asc
