-- Last day of ingest in the file; the last day of data where no file was ingested.
select coalesce(max(quality.ingested_on), max(build.as_of)) as day
from meta.build as build
left join marts.data_quality as quality on true
