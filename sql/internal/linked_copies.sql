-- Recordings that are the same as another one, and the representative of each.
select
    track_id,
    same_as
from marts.duplicate_links
