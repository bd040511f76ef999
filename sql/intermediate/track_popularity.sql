-- How popular each recording is. The head are the recordings that, most popular first, have the first 20 % of all pairs of
-- a listener and a recording they like, the tail those that have the last 20 % and all without any.
-- grain: track_id
-- columns:
--   track_id    recording
--   popularity  head, middle or tail
-- checks:
--   popularity in ('head', 'middle', 'tail')
-- reconcile:
--   (select count(*) from intermediate.track_popularity) = (select count(*) from marts.track_features)
with known as (
    select
        tracks.track_id,
        coalesce(audiences.n_likers, 0) as n_likers
    from marts.track_features as tracks
    left join intermediate.track_audience as audiences on tracks.track_id = audiences.track_id
),

taken as (
    select
        track_id,
        sum(n_likers) over (
            order by n_likers desc, track_id asc rows between unbounded preceding and current row
        ) - n_likers as n_before,
        greatest(1, sum(n_likers) over ()) as n_pairs
    from known
)

select
    track_id,
    case
        when n_before < 0.2 * n_pairs then 'head'
        when n_before < 0.8 * n_pairs then 'middle'
        else 'tail'
    end as popularity
from taken
