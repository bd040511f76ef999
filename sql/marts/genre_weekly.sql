-- Weekly plays of each genre and mood. A recording's mood is its most probable mood tag that it probably has; without
-- calibrated moods, its mood tag of the highest confidence; without audio tags, it has none. Growth is the share / the
-- mean share of the four weeks before; shares are used so that a week in which everything rises is no trend. The first
-- and last week of the log may be incomplete.
-- grain: kind, name, week_start
-- rows: 0
-- columns:
--   kind         genre or mood
--   name         the genre or mood; unknown for recordings without a genre
--   week_start   Monday of the week (market time zone)
--   n_listeners  distinct listeners with at least one play [count]
--   n_plays      plays [count]
--   share        share of the week's plays of this kind [0..1]
--   growth       share / mean share of the four weeks before, null in the first four weeks [x]
-- checks:
--   n_listeners between 1 and n_plays
--   share > 0 and share <= 1
--   kind in ('genre', 'mood')
-- reconcile:
--   (select coalesce(sum(n_plays), 0) from marts.genre_weekly where kind = 'genre') = (select coalesce(sum(n_plays), 0) from marts.interactions_daily)
with moods as (
    select
        track_id,
        tag,
        row_number() over (
            partition by track_id
            order by case when probability is null then 1 else 0 end, confidence desc, tag asc
        ) as tag_no
    from marts.track_tags
    where kind = 'mood' and (probability is null or probability >= 0.5)
),

kinds as (
    -- noqa: disable=LT09,LT14
    select track_id, 'genre' as kind, genre as name from marts.track_features
    union all
    select track_id, 'mood' as kind, tag as name from moods where tag_no = 1
    -- noqa: enable=LT09,LT14
),

weeks as (
    select
        kinds.kind,
        kinds.name,
        cast(date_trunc('week', daily.listen_date) as date) as week_start,
        count(distinct daily.user_id) as n_listeners,
        cast(sum(daily.n_plays) as bigint) as n_plays
    from marts.interactions_daily as daily
    inner join kinds on daily.track_id = kinds.track_id
    where daily.n_plays > 0
    group by kinds.kind, kinds.name, cast(date_trunc('week', daily.listen_date) as date)
),

shares as (
    select
        kind,
        name,
        week_start,
        n_listeners,
        n_plays,
        1.0 * n_plays / sum(n_plays) over (partition by kind, week_start) as share,
        dense_rank() over (partition by kind order by week_start asc) as week_no
    from weeks
),

trends as (
    select
        kind,
        name,
        week_start,
        n_listeners,
        n_plays,
        share,
        week_no,
        sum(share) over (partition by kind, name order by week_no range between 4 preceding and 1 preceding) as before
    from shares
)

select
    kind,
    name,
    week_start,
    n_listeners,
    n_plays,
    share,
    case when week_no > 4 then 4 * share / nullif(before, 0) end as growth
from trends
