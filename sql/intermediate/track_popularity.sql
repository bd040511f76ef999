-- Popularity bucket of each recording. A listener likes a recording if their weight in marts.interactions is above
-- zero. Ordered by the number of such listeners, the head are the recordings with the first 20 % of all likes, the tail
-- those with the last 20 % and those without any.
-- grain: track_id
-- columns:
--   track_id    recording
--   popularity  bucket: head, middle or tail
-- checks:
--   popularity in ('head', 'middle', 'tail')
-- reconcile:
--   (select count(*) from intermediate.track_popularity) = (select count(*) from marts.track_features)
with likers as (
    select
        tracks.track_id,
        coalesce(audiences.n_likers, 0) as n_likers
    from marts.track_features as tracks
    left join intermediate.track_audience as audiences on tracks.track_id = audiences.track_id
),

cumulative as (
    select
        track_id,
        sum(n_likers) over (
            order by n_likers desc, track_id asc rows between unbounded preceding and current row
        ) - n_likers as n_before,
        greatest(1, sum(n_likers) over ()) as n_pairs
    from likers
)

select
    track_id,
    case
        when n_before < 0.2 * n_pairs then 'head'
        when n_before < 0.8 * n_pairs then 'middle'
        else 'tail'
    end as popularity
from cumulative
