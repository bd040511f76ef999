-- Outcome of each explored list position: the reward is 1 if the listener played the recording while the list was
-- shown.
-- grain: run_id, user_id, rank
-- rows: 0
-- columns:
--   run_id       run that made the list
--   served_on    day on which the list was shown
--   user_id      listener (pseudonymous id)
--   rank         position in the list, from 1 [count]
--   track_id     recording that was drawn
--   policy       thompson or linucb
--   propensity   probability with which it was drawn
--   option_no    position among the options in the recommender's order; 1 is the recommender's own choice [count]
--   n_options    options to draw from [count]
--   features     features that the policy saw
--   reward       1 if the listener played it while the list was shown, else 0
--   is_complete  whether the log has all days on which a play counts: none is still to come, none was removed
-- checks:
--   reward in (0, 1)
-- reconcile:
--   (select count(*) from marts.feedback) = (select count(*) from marts.explorations)
with played as (
    select distinct
        explorations.run_id,
        explorations.user_id,
        explorations.track_id
    from marts.explorations as explorations
    inner join marts.interactions_daily as daily
        on
            explorations.user_id = daily.user_id
            and explorations.track_id = daily.track_id
            and daily.listen_date between explorations.served_on and explorations.until
    where daily.n_plays > 0
)

select
    explorations.run_id,
    explorations.served_on,
    explorations.user_id,
    explorations.rank,
    explorations.track_id,
    explorations.policy,
    explorations.propensity,
    explorations.option_no,
    explorations.n_options,
    explorations.features,
    case when played.run_id is null then 0 else 1 end as reward,
    explorations.until <= log_span.last_date and explorations.served_on >= log_span.first_date as is_complete
from marts.explorations as explorations
cross join intermediate.log_span as log_span
left join played
    on
        explorations.run_id = played.run_id
        and explorations.user_id = played.user_id
        and explorations.track_id = played.track_id
