-- Who is recommended each artist, and why: listeners with a recording of the artist on their published list, by group
-- and by kind of reason. Affinity is the group's share of these listeners / its share of all listeners with a list:
-- above 1, lists show the artist to the group more than to others. A reason names a recording that the listener played,
-- of the same or of another artist, or none (popularity), unless exploration drew the recording (reason_kind in
-- marts.recommendations). A listener counts once per reason.
-- grain: artist_id, dimension, value
-- rows: 0
-- columns:
--   artist_id    artist
--   dimension    country, gender, age_band or reason
--   value        the group, unknown included, or the reason
--   n_listeners  distinct listeners with the artist on their list [count]
--   n_places     positions of the artist on their lists [count]
--   share        share of the artist's positions [0..1]
--   affinity     share of these listeners / share of all listeners with a list, null for reasons [x]
-- checks:
--   n_listeners between 1 and n_places
--   share > 0 and share <= 1
-- reconcile:
--   (select coalesce(sum(n_places), 0) from marts.artist_shown where dimension = 'reason') = (select count(*) from marts.recommendations as lists inner join marts.track_features as tracks on lists.track_id = tracks.track_id where tracks.artist_id is not null)
with positions as (
    select
        tracks.artist_id,
        lists.user_id,
        case lists.reason_kind
            when 'exploration' then 'exploration'
            when 'artist' then 'the same artist'
            when 'recording' then 'another artist'
            else 'no recording of theirs'
        end as reason
    from marts.recommendations as lists
    inner join marts.track_features as tracks on lists.track_id = tracks.track_id
    where tracks.artist_id is not null
),

all_listed as (
    select
        groups.dimension,
        groups.value,
        count(*) / sum(count(*)) over (partition by groups.dimension) as share
    from intermediate.listener_groups as groups
    where groups.user_id in (select lists.user_id from marts.recommendations as lists)
    group by groups.dimension, groups.value
),

shown as (
    -- noqa: disable=LT09,LT14
    select positions.artist_id, groups.dimension, groups.value, positions.user_id
    from positions inner join intermediate.listener_groups as groups on positions.user_id = groups.user_id
    union all
    select artist_id, 'reason' as dimension, reason as value, user_id from positions
    -- noqa: enable=LT09,LT14
),

counts as (
    select
        artist_id,
        dimension,
        value,
        count(distinct user_id) as n_listeners,
        count(*) as n_places
    from shown
    group by artist_id, dimension, value
)

select
    counts.artist_id,
    counts.dimension,
    counts.value,
    counts.n_listeners,
    counts.n_places,
    counts.n_places / sum(counts.n_places) over (partition by counts.artist_id, counts.dimension) as share,
    counts.n_listeners / sum(counts.n_listeners) over (partition by counts.artist_id, counts.dimension)
    / all_listed.share as affinity
from counts
left join all_listed on counts.dimension = all_listed.dimension and counts.value = all_listed.value
