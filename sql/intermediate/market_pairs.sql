-- Plays of a day or a week beside those of the same weekday, or the whole week, one to eight weeks earlier: of the whole
-- home, and of each label whose ledger has both.
-- grain: label_id, from_day, n_days, weeks_ago
-- rows: 0
-- columns:
--   label_id   label, null for the whole home
--   from_day   first day of the period (market time zone)
--   n_days     length: 1 or 7 [d]
--   weeks_ago  distance of the earlier period, 1..8 [weeks]
--   n_now      plays [count]
--   n_before   plays of the earlier period [count]
--   place      rank of the label by plays of both periods; 1 for the whole home
-- checks:
--   weeks_ago between 1 and 8
-- reconcile:
--   (select count(*) from intermediate.market_pairs) <= 8 * (select count(*) from intermediate.market_periods)
select
    later.label_id,
    later.from_day,
    later.n_days,
    cast((later.day_no - earlier.day_no) / 7 as bigint) as weeks_ago,
    later.n_plays as n_now,
    earlier.n_plays as n_before,
    row_number() over (
        partition by later.label_id is null, later.from_day, later.n_days, earlier.day_no
        order by later.n_plays + earlier.n_plays desc, later.label_id asc
    ) as place
from intermediate.market_periods as later
inner join intermediate.market_periods as earlier
    on
        later.label_id is not distinct from earlier.label_id
        and later.n_days = earlier.n_days
        and earlier.day_no between later.day_no - 56 and later.day_no - 7
        and mod(later.day_no - earlier.day_no, 7) = 0
