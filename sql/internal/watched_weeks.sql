-- Plays of watched artists and recordings in each complete week, Monday to Sunday, oldest first; 0 without a
-- play. What the catalogue does not have has no rows.
-- params:
--   artists     artist ids, a list
--   recordings  track ids, a list
with items as (
    select
        'artist' as kind,
        artist_id as id
    from marts.track_features
    where list_contains(cast($artists as varchar[]), artist_id)
    union
    select
        'recording' as kind,
        track_id as id
    from marts.track_features
    where list_contains(cast($recordings as varchar[]), track_id)
),

days as (
    select
        'artist' as kind,
        artist_id as id,
        listen_date,
        n_plays
    from marts.artist_daily
    where list_contains(cast($artists as varchar[]), artist_id)
    union all
    select
        'recording' as kind,
        track_id as id,
        listen_date,
        n_plays
    from marts.track_daily
    where list_contains(cast($recordings as varchar[]), track_id)
),

weeks as (
    select distinct cast(date_trunc('week', track_daily.listen_date) as date) as from_day
    from marts.track_daily as track_daily
    cross join meta.build as build
    where cast(date_trunc('week', track_daily.listen_date) as date) + 6 <= build.as_of
)

select
    items.kind,
    items.id,
    weeks.from_day,
    weeks.from_day + 6 as to_day,
    cast(coalesce(sum(days.n_plays), 0) as bigint) as n_plays
from items
cross join weeks
left join days
    on
        items.kind = days.kind and items.id = days.id
        and days.listen_date between weeks.from_day and weeks.from_day + 6
group by items.kind, items.id, weeks.from_day
order by items.kind asc, items.id asc, weeks.from_day asc
