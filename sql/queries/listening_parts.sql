-- Weekly parts of the plays and the listeners of an artist or a label: by who chose the recording, or by what the listener
-- had played of it before (see marts.listening_weekly). Weeks that began before the log or have not ended are left out.
-- Shares of listeners are null for sources, since a listener may have plays of several.
-- params:
--   id     artist id or label id
--   owner  artist or label = artist
--   kind   source or loyalty = source
with log as (
    select
        min(listen_date) as first_date,
        max(listen_date) as last_date
    from marts.track_daily
)

select
    parts.week_start,
    case parts.part
        when 'active' then 'chosen by the listener'
        when 'algorithmic' then 'recommended'
        else parts.part
    end as part,
    parts.n_plays,
    parts.n_plays / sum(parts.n_plays) over (partition by parts.week_start) as play_share,
    parts.n_listeners,
    case
        when $kind <> 'source' then parts.n_listeners / sum(parts.n_listeners) over (partition by parts.week_start)
    end as listener_share
from marts.listening_weekly as parts
cross join log
where
    parts.owner = $owner and parts.owner_id = $id and parts.kind = $kind
    and parts.week_start >= log.first_date and parts.week_start + 6 <= log.last_date
order by parts.week_start asc, parts.part asc
