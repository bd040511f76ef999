-- Who comes back to an artist, by the month of the first play. Months that are not over are left out.
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
