-- How much a label's artist is played in a country compared with all of the label's music: the country's share of the
-- artist's plays / its share of the label's plays, in the last closed week with shares of artists. The share of the artist is
-- blurred by at most error, so that the ratio is between low and high. Countries with too few listeners have no row.
-- params:
--   artist_id  artist id
--   label      label id, every label where empty =
with shares as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        value / 100 as share,
        max(to_day) over (partition by label_id) as last_day
    from marts.label_figures
    where
        measure = 'play_share' and artist_id = $artist_id and dimension = 'country' and not is_withheld
        and ($label = '' or label_id = $label)
),

listeners as (
    select
        label_id,
        to_day,
        greatest(5 / value, 0.01) + 0.005 as error
    from marts.label_figures
    where measure = 'n_listeners' and dimension = 'artist' and cell = $artist_id and not is_late
),

labels as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        value / sum(value) over (partition by label_id, to_day) as label_share
    from marts.label_figures
    where measure = 'n_plays' and dimension = 'country' and not is_late and not is_withheld
)

select
    shares.label_id,
    shares.from_day,
    shares.to_day,
    shares.cell as country,
    shares.share,
    labels.label_share,
    shares.share / labels.label_share as ratio,
    greatest(shares.share - listeners.error, 0) / labels.label_share as low,
    least(shares.share + listeners.error, 1) / labels.label_share as high,
    listeners.error
from shares
inner join listeners on shares.label_id = listeners.label_id and shares.to_day = listeners.to_day
inner join labels
    on
        shares.label_id = labels.label_id and shares.to_day = labels.to_day and shares.from_day = labels.from_day
        and shares.cell = labels.cell
where shares.to_day = shares.last_day
order by shares.label_id asc, ratio desc, country asc
