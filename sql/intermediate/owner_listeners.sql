-- Plays of each listener of an artist or a label in the last 28 days of the log.
-- grain: owner, owner_id, user_id
-- rows: 0
-- columns:
--   owner        artist or label
--   owner_id     the artist or the label
--   user_id      listener (pseudonymous id)
--   n_plays      plays [count]
--   owner_share  share of the plays of the artist or the label [0..1]
-- checks:
--   n_plays >= 1
--   owner_share > 0 and owner_share <= 1
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.owner_listeners where owner = 'artist') = (select coalesce(sum(n_plays), 0) from intermediate.recent_plays where artist_id is not null)
select
    owners.owner,
    owners.owner_id,
    daily.user_id,
    cast(sum(daily.n_plays) as bigint) as n_plays,
    1.0 * sum(daily.n_plays) / sum(sum(daily.n_plays)) over (partition by owners.owner, owners.owner_id) as owner_share
from marts.interactions_daily as daily
inner join intermediate.log_span as log_span on daily.listen_date > log_span.last_date - 28
inner join intermediate.track_owners as owners on daily.track_id = owners.track_id
where daily.n_plays > 0
group by owners.owner, owners.owner_id, daily.user_id
