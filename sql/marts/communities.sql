-- Groups of listeners who listen alike, and of recordings that the same people listen to: their names and what tells
-- them from the rest. A group keeps its number from night to night.
-- reason: marts.emerging_clusters and analysts read it; raw tables are dropped when the build ends
-- grain: kind, community
-- rows: 0
-- columns:
--   kind       listeners or tracks
--   community  number of the group, within its kind
--   name       the artists that tell it from the rest, and its main genre
--   n_members  listeners or recordings in it [count]
--   artists    artists that its members play, or are by, more than others do, the most telling first
--   genres     the same of genres
-- checks:
--   n_members >= 1
--   kind in ('listeners', 'tracks')
-- reconcile:
--   (select coalesce(sum(n_members), 0) from marts.communities) = (select count(*) from raw.community_members)
select
    kind,
    community,
    name,
    n_members,
    artists,
    genres
from raw.communities
