-- Faults of the catalogue: one row per recording and issue.
-- grain: track_id, issue
-- rows: 0
-- labels: track_id
-- listening: n_listeners, n_plays
-- only: is_of_metadata
-- columns:
--   track_id        recording
--   label_id        label, null where unknown
--   kind            missing, improbable, conflicting, duplicate or sound
--   issue           missing: unknown_track, unknown_artist, unknown_label, no_label, no_release_date, no_duration, no_isrc, no_genre, no_language, no_explicit, consent_unknown; improbable: heard_before_release, odd_release_date, odd_duration, odd_length_of_file, odd_tempo, odd_isrc, odd_isrc_year; conflicting: sources_differ, copies_differ_in_language, copies_differ_in_explicit, copies_differ_in_consent, lyrics_differ_in_language, lyrics_differ_in_explicit; duplicate: shared_isrc, same_recording; sound: clipped, mono_incompatible, silent_ends, upsampled, lossy_origin, off_level
--   detail          the wrong value, both values of a conflict, or what was measured of the sound; null where the value is missing, except of no_language the language of the lyrics where they tell one
--   n_listeners     distinct listeners with at least one play [count]
--   n_plays         plays of the recording, the reach of the issue [count]
--   is_of_metadata  whether metadata or sound of the label alone show the issue; otherwise a play does, or another label's copy
-- checks:
--   n_plays >= n_listeners
-- reconcile:
--   (select count(*) from marts.catalogue_health where issue = 'unknown_track') = (select count(*) from marts.track_features where not is_known)
--   (select count(*) from marts.catalogue_health where kind = 'duplicate') = (select count(*) from intermediate.suspect_tracks)
--   (select count(*) from marts.catalogue_health where kind = 'conflicting') = (select count(*) from intermediate.conflicting_values)
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
        features.release_date,
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
    select track_id, 'missing' as kind, 'unknown_track' as issue, cast(null as varchar) as detail, false as is_of_metadata from tracks where not is_known
    union all
    select track_id, 'missing' as kind, issue, detail, true as is_of_metadata from intermediate.missing_values
    union all
    select track_id, 'improbable' as kind, 'heard_before_release' as issue, cast(release_date as varchar) as detail, false as is_of_metadata from tracks where first_date < release_date
    union all
    select track_id, 'improbable' as kind, issue, detail, true as is_of_metadata from intermediate.improbable_values
    union all
    select track_id, 'conflicting' as kind, issue, detail, is_same_label as is_of_metadata from intermediate.conflicting_values
    union all
    select track_id, 'duplicate' as kind, issue, detail, true as is_of_metadata from intermediate.suspect_tracks
    union all
    select track_id, 'sound' as kind, issue, detail, true as is_of_metadata from intermediate.delivery_faults
    -- noqa: enable=LT05,LT09,LT14
)

select
    issues.track_id,
    tracks.label_id,
    issues.kind,
    issues.issue,
    issues.detail,
    tracks.n_listeners,
    tracks.n_plays,
    issues.is_of_metadata
from issues
inner join tracks on issues.track_id = tracks.track_id
