-- Retention of an artist's new listeners, by the month of their first play. Incomplete months are left out, and so is the
-- cohort of the log's first month, in which nobody knows who is new (see marts.retention).
-- params:
--   artist_id  artist id
select
    cohort_month,
    months_since,
    n_cohort,
    n_listeners,
    share
from marts.retention
where artist_id = $artist_id and is_complete and is_new
order by cohort_month asc, months_since asc
