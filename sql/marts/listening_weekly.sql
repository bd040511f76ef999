-- Weekly plays and listeners of each artist and each label, Monday to Sunday, in parts: by who chose the recording, by what
-- the listener had played of the artist or label before, and by how much the listener played in the week. New listeners
-- had played nothing; returning ones something in the 28 days before the week; back ones something, but longer ago; and
-- unknown ones nothing, but the log began less than 56 days before the week. Heavy listeners played at least five times.
-- grain: owner, owner_id, week_start, kind, part
-- rows: 0
-- columns:
--   owner        artist or label
--   owner_id     the artist or the label
--   week_start   Monday of the week (market time zone)
--   kind         source, loyalty or intensity
--   part         of source active (the listener chose), algorithmic (a recommender chose) or unknown; of loyalty new, returning, back or unknown; of intensity heavy or light
--   n_listeners  distinct listeners with at least one play of the part; not to be added up for sources [count]
--   n_plays      plays [count]
-- checks:
--   n_listeners between 1 and n_plays
-- reconcile:
--   (select count(*) from (select owner, owner_id, week_start from marts.listening_weekly group by owner, owner_id, week_start having sum(case kind when 'source' then n_plays else 0 end) <> sum(case kind when 'loyalty' then n_plays else 0 end) or sum(case kind when 'source' then n_plays else 0 end) <> sum(case kind when 'intensity' then n_plays else 0 end)) as weeks) = 0
--   (select coalesce(sum(n_plays), 0) from marts.listening_weekly where kind = 'loyalty') = (select coalesce(sum(n_plays), 0) from intermediate.owner_weeks)
with first_play as (
    select min(listen_date) as first_date
    from marts.interactions_daily
    where n_plays > 0
),

-- noqa: disable=LT09,LT14
parts as (
    select
        weeks.owner, weeks.owner_id, weeks.week_start, 'loyalty' as kind, weeks.n_plays,
        case
            when weeks.last_day_before >= weeks.week_start - 28 then 'returning'
            when weeks.last_day_before is not null then 'back'
            when first_play.first_date <= weeks.week_start - 56 then 'new'
            else 'unknown'
        end as part
    from intermediate.owner_weeks as weeks cross join first_play
    union all
    select
        owner, owner_id, week_start, 'intensity' as kind, n_plays,
        case when n_plays >= 5 then 'heavy' else 'light' end as part
    from intermediate.owner_weeks
    union all
    select owner, owner_id, week_start, 'source' as kind, n_active_plays as n_plays, 'active' as part
    from intermediate.owner_weeks
    union all
    select owner, owner_id, week_start, 'source' as kind, n_algorithmic_plays as n_plays, 'algorithmic' as part
    from intermediate.owner_weeks
    union all
    select
        owner, owner_id, week_start, 'source' as kind, n_plays - n_active_plays - n_algorithmic_plays as n_plays,
        'unknown' as part
    from intermediate.owner_weeks
)
-- noqa: enable=LT09,LT14

select
    owner,
    owner_id,
    week_start,
    kind,
    part,
    count(*) as n_listeners,
    cast(sum(n_plays) as bigint) as n_plays
from parts
where n_plays > 0
group by owner, owner_id, week_start, kind, part
