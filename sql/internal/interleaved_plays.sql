-- Rewards of interleaved list positions whose observation window is over.
select
    user_id,
    recommender,
    challenger,
    team,
    is_contested,
    reward
from marts.interleavings
where is_complete
order by run_id asc, user_id asc, rank asc
