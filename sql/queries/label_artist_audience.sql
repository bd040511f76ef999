-- How the plays of an artist divide by country, age, gender or source, in the last closed week with shares. Shares are whole
-- per cent with noise, so that they do not add up to 1 exactly; error is how far a share can be from the truth. Groups with
-- too few listeners are in all others. Artists with few listeners have no shares.
-- params:
--   label      label id, every label where empty =
--   artist_id  artist id
--   dimension  country, age_band, gender or source = country
with shares as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        value,
        max(to_day) over (partition by label_id) as last_day
    from marts.label_figures
    where
        measure = 'play_share' and artist_id = $artist_id and dimension = $dimension and not is_withheld
        and ($label = '' or label_id = $label)
),

listeners as (
    select
        label_id,
        to_day,
        value as n_listeners
    from marts.label_figures
    where measure = 'n_listeners' and dimension = 'artist' and cell = $artist_id and not is_late and not is_withheld
)

select
    shares.label_id,
    shares.from_day,
    shares.to_day,
    shares.cell,
    coalesce(shares.cell, 'all others') as name,
    shares.value / 100 as share,
    greatest(5 / listeners.n_listeners, 0.01) + 0.005 as error
from shares
inner join listeners on shares.label_id = listeners.label_id and shares.to_day = listeners.to_day
where shares.to_day = shares.last_day
order by shares.label_id asc, shares.cell is null asc, shares.value desc, shares.cell asc
