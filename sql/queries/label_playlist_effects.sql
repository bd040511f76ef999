-- How plays of a label's recordings changed after listeners added them to playlists: the four weeks after a week
-- with a figure of adds, compared with the four before, and with the same change of the label's other plays. A figure of
-- adds has listeners enough for a line of the ledger. Weeks without all figures around them are left out. Adds follow
-- rising interest as well as causing it, so an effect is no proof of cause.
-- params:
--   label  label id, every label where empty =
--   n      weeks of adds at most [count] = 50
with adds as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        value as n_playlist_adds
    from marts.label_figures
    where
        measure = 'n_playlist_adds' and dimension = 'recording' and cell is not null and value is not null and not is_late
        and ($label = '' or label_id = $label)
),

weeks as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        case when count(value) = count(*) then sum(value) end as n_plays
    from marts.label_figures
    where measure = 'n_plays' and (dimension = 'week' or dimension = 'recording' and cell is not null)
    group by label_id, from_day, to_day, cell
    having not bool_and(is_late)
),

spans as (
    select
        adds.label_id,
        adds.from_day,
        adds.to_day,
        adds.cell,
        adds.n_playlist_adds,
        weeks.cell is null as is_total,
        weeks.from_day > adds.to_day as is_after,
        sum(weeks.n_plays) as n_plays
    from adds
    inner join weeks
        on
            adds.label_id = weeks.label_id and (adds.cell = weeks.cell or weeks.cell is null)
            and adds.from_day - 28 <= weeks.from_day and adds.to_day + 28 >= weeks.to_day
            and (adds.from_day > weeks.to_day or adds.to_day < weeks.from_day)
    group by all
    having sum(weeks.to_day - weeks.from_day + 1) = 28 and count(weeks.n_plays) = count(*)
),

effects as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        n_playlist_adds,
        max(case when not is_total and not is_after then n_plays end) as before,
        max(case when not is_total and is_after then n_plays end) as after,
        max(case when is_total and not is_after then n_plays end) as total_before,
        max(case when is_total and is_after then n_plays end) as total_after
    from spans
    group by label_id, from_day, to_day, cell, n_playlist_adds
    having count(*) = 4
)

select
    effects.label_id,
    effects.cell as track_id,
    coalesce(tracks.title, effects.cell) as title,
    effects.from_day,
    effects.to_day,
    effects.n_playlist_adds,
    effects.before / 28 as plays_before,
    effects.after / 28 as plays_after,
    (effects.total_after - effects.after) / (effects.total_before - effects.before) as control_lift,
    (effects.after / effects.before)
    / ((effects.total_after - effects.after) / (effects.total_before - effects.before)) as lift
from effects
left join marts.track_features as tracks on effects.cell = tracks.track_id
where effects.total_before > effects.before and effects.total_after > effects.after
order by effects.to_day desc, lift desc, effects.label_id asc, effects.cell asc
limit $n::integer
