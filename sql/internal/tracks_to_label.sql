-- The recordings that labels may name; those that are not described or taken down are not learned from.
select track_id
from marts.track_features
order by track_id asc
