-- How plays changed from the same weekday, or the whole week, one to eight weeks earlier: those of the whole home, and, for
-- each label, those of all other labels beside its own. Other labels count where both periods have a figure; there are at
-- least three, no two of which have over 80 % of their plays, so that no label's figure can be read from the sum.
-- grain: label_id, from_day, n_days, weeks_ago
-- rows: 0
-- columns:
--   label_id    label that compares itself with the others, null for the whole home
--   from_day    first day of the period (market time zone)
--   n_days      length: 1 or 7 [d]
--   weeks_ago   distance of the earlier period, 1..8 [weeks]
--   n_plays     plays of the market in the period [count]
--   change      change of the market's plays [ln]
--   own_change  change of the label's own plays, null where it has no figure, and for the whole home [ln]
-- checks:
--   weeks_ago between 1 and 8
-- reconcile:
--   (select count(*) from intermediate.market_changes where label_id is null) <= 8 * (select count(*) from intermediate.market_periods where label_id is null)
with labels as (
    select distinct label_id
    from marts.label_figures
),

sums as (
    select
        from_day,
        n_days,
        weeks_ago,
        count(*) as n_labels,
        sum(n_now) as n_now,
        sum(n_before) as n_before,
        sum(case when place <= 2 then n_now + n_before end) as n_top_two,
        sum(case when place = 3 then n_now + n_before end) as n_third
    from intermediate.market_pairs
    where label_id is not null
    group by from_day, n_days, weeks_ago
),

others as (
    select
        labels.label_id,
        sums.from_day,
        sums.n_days,
        sums.weeks_ago,
        sums.n_now - coalesce(own.n_now, 0) as n_now,
        sums.n_before - coalesce(own.n_before, 0) as n_before,
        sums.n_labels - case when own.place is null then 0 else 1 end as n_labels,
        sums.n_top_two + case when own.place <= 2 then sums.n_third - own.n_now - own.n_before else 0 end as n_top_two,
        ln(own.n_now / own.n_before) as own_change
    from sums
    cross join labels
    left join intermediate.market_pairs as own
        on
            labels.label_id = own.label_id
            and sums.from_day = own.from_day
            and sums.n_days = own.n_days
            and sums.weeks_ago = own.weeks_ago
)

select
    label_id,
    from_day,
    n_days,
    weeks_ago,
    n_now as n_plays,
    ln(n_now / n_before) as change,
    cast(null as double) as own_change
from intermediate.market_pairs
where label_id is null
union all
select
    label_id,
    from_day,
    n_days,
    weeks_ago,
    n_now as n_plays,
    ln(n_now / n_before) as change,
    own_change
from others
where n_labels >= 3 and n_top_two <= 0.8 * (n_now + n_before)
