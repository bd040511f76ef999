-- Each week of an artist or a label in one row: shares of plays by who chose the recording, shares of listeners by what
-- they had played of it before, and heavy listeners (see marts.listening_weekly). Weeks that began before the log or have
-- not ended are left out. Shares by source are null in weeks in which no source is known, and the share of new listeners
-- in weeks in which nobody knows who is new.
-- params:
--   id     artist id or label id
--   owner  artist or label = artist
with log as (
    select
        min(listen_date) as first_date,
        max(listen_date) as last_date
    from marts.track_daily
),

weeks as (
    select
        parts.week_start,
        sum(case when parts.kind = 'loyalty' then parts.n_plays else 0 end) as n_plays,
        sum(case when parts.kind = 'loyalty' then parts.n_listeners else 0 end) as n_listeners,
        sum(case when parts.part = 'active' then parts.n_plays else 0 end) as n_active,
        sum(case when parts.part = 'algorithmic' then parts.n_plays else 0 end) as n_algorithmic,
        sum(case when parts.part = 'new' then parts.n_listeners else 0 end) as n_new,
        sum(case when parts.part = 'returning' then parts.n_listeners else 0 end) as n_returning,
        sum(case when parts.part = 'back' then parts.n_listeners else 0 end) as n_back,
        sum(case when parts.part = 'heavy' then parts.n_listeners else 0 end) as n_heavy,
        sum(case when parts.part = 'heavy' then parts.n_plays else 0 end) as n_heavy_plays,
        max(case when parts.kind = 'loyalty' and parts.part = 'unknown' then 1 else 0 end) as is_early
    from marts.listening_weekly as parts
    cross join log
    where
        parts.owner = $owner and parts.owner_id = $id
        and parts.week_start >= log.first_date and parts.week_start + 6 <= log.last_date
    group by parts.week_start
)

select
    week_start,
    n_plays::bigint as n_plays,
    case when n_active + n_algorithmic > 0 then n_active / n_plays end as chosen_share,
    case when n_active + n_algorithmic > 0 then n_algorithmic / n_plays end as recommended_share,
    n_listeners::bigint as n_listeners,
    case when is_early = 0 then n_new / n_listeners end as new_share,
    n_returning / n_listeners as returning_share,
    n_back / n_listeners as back_share,
    n_heavy / n_listeners as heavy_share,
    n_heavy_plays / n_plays as heavy_play_share
from weeks
order by week_start asc
