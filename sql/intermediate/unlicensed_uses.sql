-- Plays of recordings on days and in countries in which no licence permits streaming. Recordings without any licence are
-- left out, since nothing is known of them, and so are listeners of an unknown country, and days before a licence was last
-- registered anew: what was permitted then is not kept.
-- grain: track_id, territory
-- rows: 0
-- columns:
--   track_id   the recording
--   territory  country of the listeners, ISO 3166-1 alpha-2
--   first_day  first day with such plays
--   last_day   last day with such plays
--   n_plays    such plays [count]
-- checks:
--   n_plays > 0
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from intermediate.unlicensed_uses) <= (select coalesce(sum(n_plays), 0) from marts.interactions_daily)
with licensed as (
    select
        track_id,
        max(held_from) as held_from
    from marts.track_licences
    group by track_id
),

named as (
    select distinct
        track_id,
        territory
    from marts.licensed_territories
    where use_type = 'stream'
),

plays as (
    select
        daily.track_id,
        listeners.country as territory,
        coalesce(named.territory, 'WW') as licensed_in,
        daily.listen_date,
        sum(daily.n_plays) as n_plays
    from marts.interactions_daily as daily
    inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
    inner join licensed on daily.track_id = licensed.track_id
    left join named on daily.track_id = named.track_id and listeners.country = named.territory
    where daily.n_plays > 0 and listeners.country <> 'unknown' and daily.listen_date >= licensed.held_from
    group by daily.track_id, listeners.country, named.territory, daily.listen_date
),

permitted as (
    select distinct
        plays.track_id,
        plays.territory,
        plays.listen_date
    from plays
    inner join marts.licensed_territories as terms
        on
            plays.track_id = terms.track_id
            and plays.licensed_in = terms.territory
            and plays.listen_date between terms.first_day and terms.last_day
    where terms.use_type = 'stream'
)

select
    plays.track_id,
    plays.territory,
    min(plays.listen_date) as first_day,
    max(plays.listen_date) as last_day,
    cast(sum(plays.n_plays) as bigint) as n_plays
from plays
left join permitted
    on
        plays.track_id = permitted.track_id
        and plays.territory = permitted.territory
        and plays.listen_date = permitted.listen_date
where permitted.track_id is null
group by plays.track_id, plays.territory
