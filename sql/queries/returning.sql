-- Retention of an artist's listeners, by the month of their first play. Incomplete months are left out.
-- params:
--   artist_id  artist id
select
    cohort_month,
    months_since,
    n_cohort,
    n_listeners,
    share
from marts.retention
where artist_id = $artist_id and is_complete
order by cohort_month asc, months_since asc
