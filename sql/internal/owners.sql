-- The label that owns each recording, label and artist: a recording belongs to the label that its metadata names, an artist
-- to the one label of all recordings that name any.
with labelled as (
    select
        track_id,
        artist_id,
        label_id
    from marts.track_features
    where label_id is not null
)

select
    'track_id' as kind,
    track_id as id,
    label_id
from labelled
union all
select
    'label_id' as kind,
    label_id as id,
    label_id
from labelled
union distinct
select
    'label_id' as kind,
    label_id as id,
    label_id
from marts.label_figures
union all
select
    'artist_id' as kind,
    artist_id as id,
    min(label_id) as label_id
from labelled
where artist_id is not null
group by artist_id
having count(distinct label_id) = 1
