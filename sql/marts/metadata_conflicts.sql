-- Values of a recording on which two sources disagree: the value that counts, and the one that another source last
-- stated. The newest delivery counts, whoever sent it. A missing value is no conflict.
-- grain: track_id, attribute, other_source
-- rows: 0
-- columns:
--   track_id      recording
--   attribute     title, artist_id, label_id, release_date, duration (over 2 s apart), isrc, iswc, genre (the main one), language, explicit, training_consent, tempo (over 4 % apart) or key
--   value         the value that counts: of the tempo and the key, that of the newest analysis
--   other_value   the value that the other source stated
--   other_source  the other source: file name without its digits, or an analyser
-- checks:
--   value <> other_value
-- reconcile:
--   (select count(*) from marts.metadata_conflicts where attribute = 'isrc') <= (select count(*) from intermediate.newest_by_source)
with analyses as (
    select
        audio.track_id,
        others.source,
        audio.tempo_bpm,
        others.tempo_bpm as other_bpm,
        concat(audio.key, ' ', audio.mode) as key,
        concat(others.key, ' ', others.mode) as other_key,
        audio.key is not null and audio.mode is not null and others.key is not null and others.mode is not null as has_keys
    from marts.track_audio as audio
    inner join marts.audio_analyses as others on audio.track_id = others.track_id
)

-- noqa: disable=LT05,LT09,LT14
select track_id, 'title' as attribute, title as value, other_title as other_value, other_source from intermediate.source_pairs where lower(trim(title)) <> lower(trim(other_title))
union all
select track_id, 'artist_id' as attribute, artist_id as value, other_artist_id as other_value, other_source from intermediate.source_pairs where artist_id <> other_artist_id
union all
select track_id, 'label_id' as attribute, label_id as value, other_label_id as other_value, other_source from intermediate.source_pairs where label_id <> other_label_id
union all
select track_id, 'release_date' as attribute, cast(release_date as varchar) as value, cast(other_release_date as varchar) as other_value, other_source from intermediate.source_pairs where release_date <> other_release_date
union all
select track_id, 'duration' as attribute, concat(cast(duration_ms as varchar), ' ms') as value, concat(cast(other_duration_ms as varchar), ' ms') as other_value, other_source from intermediate.source_pairs where abs(duration_ms - other_duration_ms) > 2000
union all
select track_id, 'isrc' as attribute, isrc as value, other_isrc as other_value, other_source from intermediate.source_pairs where isrc <> other_isrc
union all
select track_id, 'iswc' as attribute, iswc as value, other_iswc as other_value, other_source from intermediate.source_pairs where iswc <> other_iswc
union all
select track_id, 'genre' as attribute, genre as value, other_genre as other_value, other_source from intermediate.source_pairs where genre <> other_genre
union all
select track_id, 'language' as attribute, language as value, other_language as other_value, other_source from intermediate.source_pairs where language <> other_language
union all
select track_id, 'explicit' as attribute, cast(explicit as varchar) as value, cast(other_explicit as varchar) as other_value, other_source from intermediate.source_pairs where explicit <> other_explicit
union all
select track_id, 'training_consent' as attribute, consent as value, other_consent as other_value, other_source from intermediate.source_pairs where consent <> other_consent
union all
select track_id, 'tempo' as attribute, cast(round(tempo_bpm, 1) as varchar) as value, cast(round(other_bpm, 1) as varchar) as other_value, source as other_source from analyses where abs(tempo_bpm - other_bpm) > 0.04 * tempo_bpm
union all
select track_id, 'key' as attribute, key as value, other_key as other_value, source as other_source from analyses where has_keys and key <> other_key
-- noqa: enable=LT05,LT09,LT14
