-- Name, or else id, of every label that an artist's recordings have.
-- params:
--   artist_id  artist
select coalesce(min(label_name), label_id) as label_name
from marts.track_features
where artist_id = $artist_id and label_id is not null
group by label_id
order by label_id asc
