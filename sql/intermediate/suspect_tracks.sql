-- Recordings that look like duplicates: the same ISRC, or the same artist, title and length (to the second).
-- grain: track_id, issue
-- rows: 0
-- columns:
--   track_id  recording
--   issue     shared_isrc or same_recording
--   detail    the shared ISRC or title
-- reconcile:
--   (select count(*) from intermediate.suspect_tracks where issue = 'shared_isrc') <= (select count(isrc) from marts.track_features)
with isrc_counts as (
    select
        track_id,
        isrc,
        count(*) over (partition by isrc) as n_tracks
    from marts.track_features
    where isrc is not null
),

name_counts as (
    select
        track_id,
        title,
        count(*) over (
            partition by
                artist_id,
                replace(replace(lower(trim(title)), 'ß', 'ss'), 'ς', 'σ'),
                cast(round(duration_ms / 1000) as bigint)
        ) as n_tracks
    from marts.track_features
    where duration_ms is not null
)

select
    track_id,
    'shared_isrc' as issue,
    isrc as detail
from isrc_counts
where n_tracks > 1
union all
select
    track_id,
    'same_recording' as issue,
    title as detail
from name_counts
where n_tracks > 1
