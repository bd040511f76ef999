-- Which other artists the listeners of a label's artist play, in the last closed month with shares. A listener counts for
-- the 20 artists played most in the month. A share is in whole per cent and counts up to five listeners more or fewer than
-- the truth, to protect them. Artists are left out if too few listeners play both, or these are over 40 % of the listeners
-- of either.
-- params:
--   artist_id  artist of the label
--   label      label id, every label where empty =
--   n          artists at most [count] = 20
with shares as (
    select
        label_id,
        from_day,
        to_day,
        cell,
        value,
        max(to_day) over (partition by label_id) as last_day
    from marts.label_figures
    where dimension = 'overlap' and artist_id = $artist_id and not is_withheld and ($label = '' or label_id = $label)
)

select
    shares.label_id,
    shares.from_day,
    shares.to_day,
    shares.cell,
    names.name,
    shares.value / 100 as share
from shares
inner join marts.overlapping_artists as names on shares.label_id = names.label_id and shares.cell = names.artist_id
where shares.to_day = shares.last_day
order by shares.label_id asc, shares.value desc, shares.cell asc
limit $n::integer
