-- Group in marts.communities of each listener and recording. Listeners without a liked artist and recordings with few
-- listeners are in no group.
-- reason: analysts and the step below marts.emerging_clusters read it; raw tables are dropped when the build ends
-- grain: kind, member_id
-- rows: 0
-- columns:
--   kind       listeners or tracks
--   member_id  listener (pseudonymous id) or recording
--   community  number of the group within its kind
-- checks:
--   kind in ('listeners', 'tracks')
-- reconcile:
--   (select count(*) from marts.community_members) = (select count(*) from raw.community_members)
select
    kind,
    member_id,
    community
from raw.community_members
