-- Distinct names of artists and labels, and titles.
select artist_name as name
from marts.track_features
where artist_name is not null
union distinct
select label_name as name
from marts.track_features
where label_name is not null
union distinct
select title as name
from marts.track_features
where title is not null
