-- First and last day of the log, from which periods such as the last 28 days are counted.
-- grain: none
-- columns:
--   first_date  first day with a listen or event, null where the log is empty
--   last_date   last day with a listen or event, null where the log is empty
-- checks:
--   first_date is null or first_date <= last_date
-- reconcile:
--   (select count(*) from intermediate.log_span) = 1
select
    min(listen_date) as first_date,
    max(listen_date) as last_date
from marts.interactions_daily
