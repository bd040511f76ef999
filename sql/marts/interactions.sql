-- Each listener's interactions with each recording, over all days: the interaction matrix in long form.
-- grain: user_id, track_id
-- columns:
--   user_id          listener (pseudonymous id)
--   track_id         recording
--   n_listens        listens of any length [count]
--   n_plays          plays: at least 30 s or half the recording; a scrobble is a play [count]
--   n_skips          skips: shorter listens that the listener ended [count]
--   n_likes          likes [count]
--   n_unlikes        withdrawn likes [count]
--   n_saves          saves to the library [count]
--   n_playlist_adds  adds to a playlist [count]
--   n_shares         shares [count]
--   ms_played        time listened, null where the log has no durations [ms]
--   weight           weight of the preference, the sum of the daily weights of marts.interactions_daily [plays]
--   n_days           days with an interaction [d]
--   first_date       first of these days
--   last_date        last of these days
-- checks:
--   n_listens >= n_plays + n_skips
--   first_date <= last_date
--   n_days >= 1
-- reconcile:
--   (select sum(n_plays) from marts.interactions) = (select sum(n_plays) from marts.interactions_daily)
select
    user_id,
    track_id,
    cast(sum(n_listens) as bigint) as n_listens,
    cast(sum(n_plays) as bigint) as n_plays,
    cast(sum(n_skips) as bigint) as n_skips,
    cast(sum(n_likes) as bigint) as n_likes,
    cast(sum(n_unlikes) as bigint) as n_unlikes,
    cast(sum(n_saves) as bigint) as n_saves,
    cast(sum(n_playlist_adds) as bigint) as n_playlist_adds,
    cast(sum(n_shares) as bigint) as n_shares,
    cast(sum(ms_played) as bigint) as ms_played,
    sum(weight) as weight,
    count(*) as n_days,
    min(listen_date) as first_date,
    max(listen_date) as last_date
from marts.interactions_daily
group by user_id, track_id
