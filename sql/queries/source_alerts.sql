-- Sources whose last delivery was unusually small or large, and sources that should have delivered by the day after the
-- warehouse's last day and have not. Those that are due come first.
with last_days as (
    select
        source,
        source_table,
        max(ingested_on) as ingested_on
    from marts.source_volumes
    group by source, source_table
)

select
    volumes.source,
    volumes.source_table,
    volumes.ingested_on,
    case
        when volumes.ingested_on + volumes.due_in_days::integer <= build.as_of + 1 then 'due'
        when volumes.n_read < volumes.n_expected then 'small'
        else 'large'
    end as problem,
    volumes.n_read,
    volumes.n_expected,
    volumes.n_low,
    volumes.n_high,
    volumes.due_in_days
from marts.source_volumes as volumes
inner join last_days
    on
        volumes.source = last_days.source
        and volumes.source_table = last_days.source_table
        and volumes.ingested_on = last_days.ingested_on
cross join meta.build as build
where volumes.is_unusual or volumes.ingested_on + volumes.due_in_days::integer <= build.as_of + 1
order by problem asc, volumes.source asc, volumes.source_table asc
