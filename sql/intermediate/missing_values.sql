-- Metadata that a recording of the catalogue lacks.
-- grain: track_id, issue
-- rows: 0
-- columns:
--   track_id  recording
--   issue     unknown_artist, unknown_label, no_label, no_release_date, no_duration, no_isrc, no_genre, no_language, no_explicit or consent_unknown
--   detail    the id of an artist or label that is described nowhere; of no_language the language of the lyrics, if they tell one; otherwise null
-- reconcile:
--   (select count(*) from intermediate.missing_values where issue = 'no_isrc') = (select count(*) from marts.track_features where is_known and isrc is null)
with known as (
    select
        track_id,
        artist_id,
        artist_name,
        label_id,
        label_name,
        release_date,
        duration_ms,
        isrc,
        genres,
        language,
        explicit,
        training_consent
    from marts.track_features
    where is_known
)

-- noqa: disable=LT05,LT09,LT14
select track_id, 'unknown_artist' as issue, artist_id as detail from known where artist_name is null
union all
select track_id, 'unknown_label' as issue, label_id as detail from known where label_id is not null and label_name is null
union all
select track_id, 'no_label' as issue, cast(null as varchar) as detail from known where label_id is null
union all
select track_id, 'no_release_date' as issue, cast(null as varchar) as detail from known where release_date is null
union all
select track_id, 'no_duration' as issue, cast(null as varchar) as detail from known where duration_ms is null
union all
select track_id, 'no_isrc' as issue, cast(null as varchar) as detail from known where isrc is null
union all
select track_id, 'no_genre' as issue, cast(null as varchar) as detail from known where genres is null
union all
select known.track_id, 'no_language' as issue, lyrics.language as detail from known left join marts.track_lyrics as lyrics on known.track_id = lyrics.track_id where known.language = 'unknown'
union all
select track_id, 'no_explicit' as issue, cast(null as varchar) as detail from known where explicit is null
union all
select track_id, 'consent_unknown' as issue, cast(null as varchar) as detail from known where training_consent = 'unknown'
-- noqa: enable=LT05,LT09,LT14
