-- What came of explored places whose time is over: features and reward.
select
    features,
    reward
from marts.feedback
where is_complete
order by run_id asc, user_id asc, rank asc
