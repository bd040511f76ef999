-- Exposure of labels in recommendations compared with their plays, with intervals: by group of one label's recordings,
-- or for every label.
-- params:
--   label_id  label id, every label where empty =
--   kind      a kind of marts.track_groups, or all for all recordings of a label = all
with labels as (
    select
        label_id,
        min(label_name) as label_name
    from marts.track_features
    where label_id is not null
    group by label_id
)

select
    exposure.label_id,
    coalesce(labels.label_name, exposure.label_id) as label_name,
    exposure.group_name,
    exposure.n_tracks,
    exposure.n_shown,
    exposure.n_players,
    exposure.listening_share,
    exposure.exposure_share,
    exposure.ratio,
    exposure.low,
    exposure.high,
    exposure.market_ratio
from marts.label_exposure as exposure
inner join labels on exposure.label_id = labels.label_id
where exposure.group_kind = $kind and ($label_id = '' or exposure.label_id = $label_id) and exposure.ratio is not null
order by exposure.ratio asc, exposure.label_id asc, exposure.group_name asc
