-- Where and when a recording with licences may be streamed: in each territory that its terms for streaming name and in
-- every other country (WW), periods that leave out no day. A licence for other uses alone permits no streaming. Recordings
-- without any licence are left out, since nothing is known of them. All lists, and the reasons why a recording is on none,
-- read this table on the day on which the lists are shown.
-- grain: track_id, territory, first_day
-- rows: 0
-- columns:
--   track_id      recording of the catalogue
--   territory     ISO 3166-1 alpha-2 as a term for streaming names it; WW is every other country, and always there
--   first_day     first day of the period; 0001-01-01 of the first one
--   last_day      last day of the period; 9999-12-31 of the last one
--   is_permitted  whether a term permits streaming in it
-- checks:
--   first_day <= last_day
--   is_permitted is not null
-- reconcile:
--   (select count(*) from marts.streaming_periods where territory = 'WW' and last_day = date '9999-12-31') = (select count(*) from (select distinct track_id from marts.licensed_territories) as licensed)
with terms as (
    select
        track_id,
        territory,
        first_day,
        last_day
    from marts.licensed_territories
    where use_type = 'stream'
    union all
    select distinct
        track_id,
        'WW' as territory,
        cast(null as date) as first_day,
        cast(null as date) as last_day
    from marts.licensed_territories
),

starts as (
    select
        track_id,
        territory,
        date '0001-01-01' as first_day
    from terms
    union distinct
    select
        track_id,
        territory,
        first_day
    from terms
    where first_day is not null
    union distinct
    select
        track_id,
        territory,
        last_day + 1 as first_day
    from terms
    where last_day < date '9999-12-31'
),

periods as (
    select
        track_id,
        territory,
        first_day,
        coalesce(
            lead(first_day) over (partition by track_id, territory order by first_day) - 1, date '9999-12-31'
        ) as last_day
    from starts
)

select
    periods.track_id,
    periods.territory,
    periods.first_day,
    periods.last_day,
    count(terms.first_day) > 0 as is_permitted
from periods
left join terms
    on
        periods.track_id = terms.track_id
        and periods.territory = terms.territory
        and periods.first_day between terms.first_day and terms.last_day
group by periods.track_id, periods.territory, periods.first_day, periods.last_day
