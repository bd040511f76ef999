-- Outcome of each position of an interleaved list, in which two recommenders take turns: the reward is 1 if the listener
-- played the recording while the list was shown.
-- grain: run_id, user_id, rank
-- rows: 0
-- columns:
--   run_id        run that made the list
--   served_on     day on which the list was shown
--   until         last day on which a play counts as a reward
--   user_id       listener (pseudonymous id)
--   rank          position in the list, from 1 [count]
--   track_id      recording
--   recommender   recommender whose lists are exported, the first team
--   challenger    recommender that it is compared with, the second team
--   team          first or second: whose turn the recording was
--   is_contested  whether both recommenders had a recording left in this round; only these positions are compared
--   reward        1 if the listener played it while the list was shown, else 0
--   is_complete   whether the log has all days on which a play counts: none is still to come, none was removed
-- checks:
--   team in ('first', 'second')
--   reward in (0, 1)
-- reconcile:
--   (select count(*) from marts.interleavings) = (select count(*) from raw.interleavings)
with played as (
    select distinct
        interleavings.run_id,
        interleavings.user_id,
        interleavings.track_id
    from raw.interleavings as interleavings
    inner join marts.interactions_daily as daily
        on
            interleavings.user_id = daily.user_id
            and interleavings.track_id = daily.track_id
            and daily.listen_date between interleavings.served_on and interleavings.until
    where daily.n_plays > 0
)

select
    interleavings.run_id,
    interleavings.served_on,
    interleavings.until,
    interleavings.user_id,
    interleavings.rank,
    interleavings.track_id,
    interleavings.recommender,
    interleavings.challenger,
    interleavings.team,
    interleavings.is_contested,
    case when played.run_id is null then 0 else 1 end as reward,
    interleavings.until <= log_span.last_date and interleavings.served_on >= log_span.first_date as is_complete
from raw.interleavings as interleavings
cross join intermediate.log_span as log_span
left join played
    on
        interleavings.run_id = played.run_id
        and interleavings.user_id = played.user_id
        and interleavings.track_id = played.track_id
