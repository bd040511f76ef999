-- What people decided about findings of the cleaning.
select
    kind,
    track_id,
    other_track_id,
    decision
from marts.review_decisions
order by kind asc, track_id asc, other_track_id asc
