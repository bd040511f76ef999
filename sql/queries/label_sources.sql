-- How the plays of a label, or of one of its artists, divide by who chose the recording, in each closed week. The label's
-- shares are exact, with late rows; an artist's are whole per cent with noise, of which error is the most (null: exact).
-- A part with too few listeners, or that only late rows of a week name, is in all others. Withheld weeks have no rows.
-- params:
--   artist_id  artist id, the label's total where empty =
--   label      label id, every label where empty =
with cells as (
    select
        label_id,
        from_day,
        to_day,
        value,
        case when not bool_and(is_late) over same_cell then cell end as cell
    from marts.label_figures
    where
        dimension = 'source' and not is_withheld and ($label = '' or label_id = $label)
        and measure = case when $artist_id = '' then 'n_plays' else 'play_share' end
        and coalesce(artist_id, '') = $artist_id
    window same_cell as (partition by label_id, to_day, cell)
),

parts as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        sum(value) as value
    from cells
    group by label_id, from_day, to_day, cell
),

listeners as (
    select
        label_id,
        to_day,
        max(value) as n_listeners
    from marts.label_figures
    where measure = 'n_listeners' and dimension = 'artist' and cell = $artist_id and not is_late
    group by label_id, to_day
)

select
    parts.label_id,
    parts.from_day,
    parts.to_day,
    case
        when parts.cell is null then 'all others'
        when parts.cell = 'active' then 'chosen by the listener'
        when parts.cell = 'algorithmic' then 'recommended'
        else parts.cell
    end as part,
    case when $artist_id = '' then parts.value end::bigint as n_plays,
    case
        when $artist_id = '' then parts.value / sum(parts.value) over (partition by parts.label_id, parts.to_day)
        else parts.value / 100
    end as play_share,
    case when $artist_id <> '' then greatest(5 / listeners.n_listeners, 0.01) + 0.005 end as error
from parts
left join listeners on parts.label_id = listeners.label_id and parts.to_day = listeners.to_day
order by parts.label_id asc, parts.to_day asc, parts.cell asc nulls last
