-- Plays of a label's artist or recording in closed weeks, for charts that compare several; null where the week had too few
-- listeners there, or was withheld. Weeks are counted from that of the release date, which is week 1; of an artist,
-- from that of the newest recording. Plays per day are the average of the closed period; in the first week
-- since its release, of a recording, that of the days since then. Late rows that were counted for a week later are included.
-- params:
--   kind   artist or recording
--   id     artist id or track id
--   by     date: the last weeks up to the last day of the data, or release: the first weeks since the release = date
--   weeks  weeks [count] = 13
--   label  label id, every label where empty =
with items as (
    select
        case when $kind = 'recording' then max(tracks.track_id) end as track_id,
        max(tracks.artist_id) as artist_id,
        coalesce(case when $kind = 'artist' then max(tracks.artist_name) else max(tracks.title) end, $id) as name,
        max(tracks.artist_name) as artist_name,
        max(case when tracks.release_date <= build.as_of then tracks.release_date end) as release_date,
        max(build.as_of) as as_of
    from marts.track_features as tracks
    cross join meta.build as build
    where case when $kind = 'artist' then tracks.artist_id else tracks.track_id end = $id
),

figures as (
    select
        label_id,
        to_day,
        case when count(value) = count(*) then sum(value)::bigint end as n_plays
    from marts.label_figures
    where dimension = $kind and cell = $id and measure = 'n_plays'
    group by label_id, to_day
    having not bool_and(is_late)
),

weeks as (
    select
        label_id,
        from_day,
        to_day,
        is_withheld
    from marts.label_figures
    where
        dimension = 'week' and measure = 'n_plays' and not is_late and ($label = '' or label_id = $label)
        and label_id in (
            select tracks.label_id
            from marts.track_features as tracks
            where case when $kind = 'artist' then tracks.artist_id else tracks.track_id end = $id
        )
),

numbered as (
    select
        weeks.label_id,
        weeks.from_day,
        weeks.to_day,
        weeks.is_withheld,
        floor((weeks.to_day - date_trunc('week', items.release_date)::date) / 7)::integer + 1 as week_no,
        case
            when $by = 'release' and $kind = 'recording' and items.release_date between weeks.from_day and weeks.to_day
                then (weeks.to_day - items.release_date + 1)::integer
            else (weeks.to_day - weeks.from_day + 1)::integer
        end as n_days
    from weeks
    cross join items
)

select
    items.track_id,
    items.artist_id,
    items.name,
    items.artist_name,
    items.release_date,
    numbered.from_day,
    numbered.to_day,
    numbered.week_no,
    numbered.n_days,
    figures.n_plays,
    figures.n_plays / numbered.n_days as plays_a_day,
    numbered.is_withheld
from numbered
cross join items
left join figures on numbered.label_id = figures.label_id and numbered.to_day = figures.to_day
where
    case
        when $by = 'release' then numbered.week_no between 1 and $weeks::integer
        else numbered.to_day > items.as_of - 7 * $weeks::integer
    end
order by numbered.to_day asc
