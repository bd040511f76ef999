-- Features and reward of explored list positions whose observation window is over.
select
    features,
    reward
from marts.feedback
where is_complete
order by run_id asc, user_id asc, rank asc
