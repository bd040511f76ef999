-- A label's totals of its last closed day, compared with the same weekday a week earlier, or of its last closed weeks,
-- compared with as many closed weeks before. Weeks include the late rows that were counted for them later; a single day
-- has none, since late rows are counted by week. Each measure has periods of its own: one with few listeners is closed
-- less often, and its periods differ in length. The change is that of the daily average; none where one was withheld.
-- params:
--   label  label id, every label where empty =
--   days   1 for the last closed day, otherwise the number of days in the last closed weeks [d] = 7
with periods as (
    select
        label_id,
        measure,
        from_day,
        to_day,
        sum(value)::bigint as value,
        row_number() over (partition by label_id, measure order by to_day desc) as period_no
    from marts.label_figures
    where
        measure <> 'n_listeners'
        and dimension = case when $days::integer = 1 then 'day' else 'week' end
        and ($label = '' or label_id = $label)
    group by label_id, measure, from_day, to_day
),

latest as (
    select
        label_id,
        measure,
        min(from_day) as first_date,
        max(to_day) as last_date,
        case when count(value) = count(*) then sum(value) end as n_now
    from periods
    where period_no <= ceil($days::integer / 7)::integer
    group by label_id, measure
    having count(*) = ceil($days::integer / 7)::integer
),

earlier as (
    select
        latest.label_id,
        latest.measure,
        min(periods.from_day) as first_date,
        max(periods.to_day) as last_date,
        case when count(periods.value) = count(*) then sum(periods.value) end as n_before
    from latest
    inner join periods
        on
            latest.label_id = periods.label_id and latest.measure = periods.measure
            and case
                when $days::integer = 1
                    then periods.from_day = latest.first_date - 7 and periods.to_day = latest.last_date - 7
                else
                    periods.period_no > ceil($days::integer / 7)::integer
                    and periods.period_no <= 2 * ceil($days::integer / 7)::integer
            end
    group by latest.label_id, latest.measure
    having count(*) = ceil($days::integer / 7)::integer
)

select
    latest.label_id,
    case when latest.measure = 'ms_played' then 'hours_played' else latest.measure end as measure,
    case when latest.measure = 'ms_played' then latest.n_now / 3600000 else latest.n_now end as n_now,
    case when latest.measure = 'ms_played' then earlier.n_before / 3600000 else earlier.n_before end as n_before,
    latest.n_now / (latest.last_date - latest.first_date + 1)
    / (earlier.n_before / (earlier.last_date - earlier.first_date + 1)) - 1 as change,
    latest.first_date,
    latest.last_date,
    earlier.first_date as first_date_before,
    earlier.last_date as last_date_before,
    coalesce(latest.last_date - latest.first_date <> earlier.last_date - earlier.first_date, false) as is_per_day
from latest
left join earlier on latest.label_id = earlier.label_id and latest.measure = earlier.measure
order by latest.label_id asc, latest.measure = 'n_plays' desc, latest.last_date desc, n_now desc, latest.measure asc
