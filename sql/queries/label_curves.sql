-- Plays per day of a label's artists, or of an artist's recordings, in the last closed weeks, for small curves. A curve
-- ends with the newest closed week and begins after the last week without a figure (too few listeners); where the newest
-- week has none, there is no curve. Late rows that were counted for a week later are included.
-- params:
--   label      label id, every label where empty =
--   dimension  artist or recording = artist
--   artist_id  of dimension recording, the artist, every artist where empty =
--   weeks      closed weeks at most [weeks] = 12
with weeks as (
    select
        label_id,
        from_day,
        to_day,
        row_number() over (partition by label_id order by to_day desc) as week_no
    from marts.label_figures
    where dimension = 'week' and measure = 'n_plays' and not is_late and ($label = '' or label_id = $label)
),

figures as (
    select
        cells.label_id,
        cells.cell,
        cells.to_day,
        weeks.week_no,
        sum(cells.value) / (weeks.to_day - weeks.from_day + 1)::integer as plays_a_day
    from marts.label_figures as cells
    inner join weeks on cells.label_id = weeks.label_id and cells.to_day = weeks.to_day
    where
        cells.measure = 'n_plays' and cells.dimension = $dimension and cells.cell is not null
        and ($artist_id = '' or cells.artist_id = $artist_id)
        and weeks.week_no <= $weeks::integer
    group by cells.label_id, cells.cell, cells.to_day, weeks.week_no, weeks.from_day, weeks.to_day
    having not bool_and(cells.is_late) and count(cells.value) > 0
),

numbered as (
    select
        label_id,
        cell,
        to_day,
        week_no,
        plays_a_day,
        row_number() over (partition by label_id, cell order by week_no) as figure_no
    from figures
)

select
    label_id,
    cell,
    to_day,
    plays_a_day
from numbered
where figure_no = week_no
order by label_id asc, cell asc, to_day asc
