-- The ledger of labels' figures: every figure from listening that a label may see. A line is written once, when its period
-- is closed, and never revised. Within a period, the cells of each dimension add up to the label's total; cells with too
-- few listeners are merged into others. Days carry the total alone; the other dimensions belong to weeks. A period whose
-- total had too few listeners was closed together with the next, so lines may cover more than a day or a week.
-- reason: the lines are computed by the nightly run and stored in the lake; analysts and label files read them here
-- grain: label_id, measure, from_day, to_day, dimension, artist_id, cell, closing_no
-- rows: 0
-- labels: label_id
-- columns:
--   label_id       label that the recordings had when the period was closed
--   measure        n_plays, n_skips, n_saves, n_likes, n_playlist_adds, ms_played; n_listeners, which must not be added up; play_share, the share of an artist's plays in per cent, with noise; listener_share, the share of an artist's listeners in per cent, with noise; n_shown, listeners whose list has a recording of the label; exposure, positions on the lists, each weighing 1 / log2(1 + rank), rounded
--   from_day       first day of the period (market time zone)
--   to_day         last day of the period
--   dimension      day or week (the label's total), artist, recording, country, age_band, gender, source, loyalty, shown (what the lists of the run that closed the week show), overlap (listeners who also play another artist, by month), or late
--   artist_id      of a recording or a share, the artist of whose plays or listeners it is a part; null for all other lines
--   cell           artist (of an overlap, the other one), recording or group; null for all others together, and for totals
--   value          the figure, null where withheld [count]
--   is_late        whether it counts rows that came after their period was closed; dimension late counts those of several periods
--   closing_no     number of the closing that wrote it [count]
--   closed_by_run  run that wrote it
--   closed_on      day after the last day of that run's data
--   min_listeners  listeners that the line has at least [count]
--   is_withheld    whether the operator has voided the period
-- checks:
--   from_day <= to_day
--   value > 0 or measure in ('play_share', 'listener_share') and value = 0 or is_withheld
-- reconcile:
--   (select count(*) from marts.label_figures) = (select count(*) from raw.label_figures)
--   (select count(*) from (select label_id, measure, to_day, closing_no from marts.label_figures where not is_withheld and dimension in ('week', 'artist', 'country', 'age_band', 'gender') and measure not in ('n_listeners', 'play_share') group by label_id, measure, to_day, closing_no having sum(case when dimension = 'week' then 4 * value else -value end) <> 0) as periods) = 0
--   (select count(*) from (select label_id, measure, to_day, closing_no from marts.label_figures where not is_withheld and dimension in ('week', 'loyalty') and measure in ('n_plays', 'n_listeners') group by label_id, measure, to_day, closing_no having sum(case when dimension = 'week' then value end) <> sum(case when dimension = 'loyalty' then value end)) as periods) = 0
select
    label_id,
    measure,
    from_day,
    to_day,
    dimension,
    artist_id,
    cell,
    value,
    is_late,
    closing_no,
    closed_by_run,
    closed_on,
    min_listeners,
    is_withheld
from raw.label_figures
