-- Which group of marts.communities each listener and recording is in. Listeners without a liked artist and recordings
-- with few listeners are in none.
-- reason: results of runs are published as they are, checked, and this is their name for analysts
-- grain: kind, member_id
-- rows: 0
-- columns:
--   kind       listeners or tracks
--   member_id  listener (pseudonymous id) or recording
--   community  number of the group, within its kind
-- checks:
--   kind in ('listeners', 'tracks')
-- reconcile:
--   (select count(*) from marts.community_members) = (select count(*) from raw.community_members)
select
    kind,
    member_id,
    community
from raw.community_members
