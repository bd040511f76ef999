-- Faults of the catalogue: one row per recording and issue.
-- grain: track_id, issue
-- rows: 0
-- labels: track_id
-- listening: n_listeners, n_plays
-- only: is_of_metadata
-- columns:
--   track_id        recording
--   label_id        label, null where unknown
--   issue           unknown_track, unknown_artist, unknown_label, no_label, no_release_date, heard_before_release, no_duration, odd_duration, no_isrc, odd_isrc, shared_isrc, same_recording, no_genre or consent_unknown
--   detail          the wrong value, null where the value is missing
--   n_listeners     distinct listeners with at least one play [count]
--   n_plays         plays of the recording, the reach of the issue [count]
--   is_of_metadata  whether the metadata alone shows the issue; otherwise a play does
-- checks:
--   n_plays >= n_listeners
-- reconcile:
--   (select count(*) from marts.catalogue_health where issue = 'unknown_track') = (select count(*) from marts.track_features where not is_known)
--   (select count(*) from marts.catalogue_health where issue in ('shared_isrc', 'same_recording')) = (select count(*) from intermediate.suspect_tracks)
with plays as (
    select
        track_id,
        cast(sum(n_plays) as bigint) as n_plays,
        min(case when n_plays + n_skips > 0 then listen_date end) as first_date
    from marts.track_daily
    group by track_id
),

tracks as (
    select
        features.track_id,
        features.label_id,
        features.label_name,
        features.artist_id,
        features.artist_name,
        features.release_date,
        features.duration_ms,
        features.isrc,
        features.genres,
        features.training_consent,
        features.is_known,
        plays.first_date,
        coalesce(audiences.n_listeners, 0) as n_listeners,
        coalesce(plays.n_plays, 0) as n_plays
    from marts.track_features as features
    left join plays on features.track_id = plays.track_id
    left join intermediate.track_audience as audiences on features.track_id = audiences.track_id
),

issues as (
    -- noqa: disable=LT05,LT09,LT14
    select track_id, 'unknown_track' as issue, cast(null as varchar) as detail from tracks where not is_known
    union all
    select track_id, 'unknown_artist' as issue, artist_id as detail from tracks where is_known and artist_name is null
    union all
    select track_id, 'unknown_label' as issue, label_id as detail from tracks where label_id is not null and label_name is null
    union all
    select track_id, 'no_label' as issue, cast(null as varchar) as detail from tracks where is_known and label_id is null
    union all
    select track_id, 'no_release_date' as issue, cast(null as varchar) as detail from tracks where is_known and release_date is null
    union all
    select track_id, 'heard_before_release' as issue, cast(release_date as varchar) as detail from tracks where first_date < release_date
    union all
    select track_id, 'no_duration' as issue, cast(null as varchar) as detail from tracks where is_known and duration_ms is null
    union all
    select track_id, 'odd_duration' as issue, cast(duration_ms as varchar) as detail from tracks where duration_ms not between 10000 and 3600000
    union all
    select track_id, 'no_isrc' as issue, cast(null as varchar) as detail from tracks where is_known and isrc is null
    union all
    select track_id, 'odd_isrc' as issue, isrc as detail from tracks where not regexp_matches(isrc, '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$')
    union all
    select track_id, 'no_genre' as issue, cast(null as varchar) as detail from tracks where is_known and genres is null
    union all
    select track_id, 'consent_unknown' as issue, cast(null as varchar) as detail from tracks where is_known and training_consent = 'unknown'
    union all
    select track_id, issue, detail from intermediate.suspect_tracks
    -- noqa: enable=LT05,LT09,LT14
)

select
    issues.track_id,
    tracks.label_id,
    issues.issue,
    issues.detail,
    tracks.n_listeners,
    tracks.n_plays,
    issues.issue not in ('unknown_track', 'heard_before_release') as is_of_metadata
from issues
inner join tracks on issues.track_id = tracks.track_id
