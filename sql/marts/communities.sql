-- Communities: groups of listeners with similar preferences, and groups of recordings with a shared audience, with what
-- distinguishes each. A group keeps its number from run to run.
-- reason: marts.emerging_clusters and analysts read it; raw tables are dropped when the build ends
-- grain: kind, community
-- rows: 0
-- columns:
--   kind       listeners or tracks
--   community  number of the group within its kind
--   name       artists that distinguish it most, and its main genre
--   n_members  listeners or recordings in it [count]
--   artists    artists that its members play, or are by, more than others; the most distinctive first
--   genres     genres that its members play, or have, more than others; the most distinctive first
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
