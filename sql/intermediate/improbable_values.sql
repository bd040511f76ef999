-- Values that are probably wrong, by a rule per issue:
-- odd_release_date: before 1890, when records were first sold, or over a year after the last delivery of files;
-- odd_duration: shorter than 10 s or longer than an hour;
-- odd_length_of_file: the file is over 10 s and over 5 % longer or shorter than stated, where it is no excerpt (a file under a minute, of a longer recording);
-- odd_tempo: outside of 30 to 300 beats per minute;
-- odd_isrc: not of the form of an ISRC;
-- odd_isrc_year: of a release since 1990, the year in the ISRC is over three years after the release. An earlier year is normal: a compilation has recordings of earlier years.
-- grain: track_id, issue
-- rows: 0
-- columns:
--   track_id  recording
--   issue     odd_release_date, odd_duration, odd_length_of_file, odd_tempo, odd_isrc or odd_isrc_year
--   detail    the value
-- reconcile:
--   (select count(*) from intermediate.improbable_values where issue = 'odd_duration') <= (select count(duration_ms) from marts.track_features)
with last_delivery as (
    select max(ingested_on) as last_date
    from marts.source_volumes
),

tracks as (
    select
        features.track_id,
        features.release_date,
        features.duration_ms,
        features.tempo_bpm,
        features.isrc,
        audio.duration_ms + coalesce(audio.lost_ms, 0) as file_ms,
        regexp_matches(features.isrc, '^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$') as has_isrc,
        last_delivery.last_date
    from marts.track_features as features
    cross join last_delivery
    left join marts.track_audio as audio on features.track_id = audio.track_id
),

isrc_digits as ( -- a cast under a case: Spark may filter after it
    select
        track_id,
        isrc,
        year(release_date) as release_year,
        year(last_date) as last_year,
        case when has_isrc then cast(substring(isrc, 6, 2) as bigint) end as year_digits
    from tracks
    where has_isrc and year(release_date) >= 1990
),

isrc_years as (
    select
        track_id,
        isrc,
        release_year,
        case when 2000 + year_digits > last_year + 1 then 1900 else 2000 end + year_digits as isrc_year
    from isrc_digits
)

-- noqa: disable=LT05,LT09,LT14
select track_id, 'odd_release_date' as issue, cast(release_date as varchar) as detail from tracks where year(release_date) < 1890 or epoch(cast(release_date as timestamp)) - epoch(cast(last_date as timestamp)) > 366 * 86400
union all
select track_id, 'odd_duration' as issue, cast(duration_ms as varchar) as detail from tracks where duration_ms not between 10000 and 3600000
union all
select track_id, 'odd_length_of_file' as issue, concat(cast(duration_ms as varchar), ' / ', cast(file_ms as varchar)) as detail from tracks where abs(duration_ms - file_ms) > greatest(10000, 0.05 * duration_ms) and (file_ms >= 60000 or file_ms > duration_ms)
union all
select track_id, 'odd_tempo' as issue, cast(round(tempo_bpm, 1) as varchar) as detail from tracks where tempo_bpm not between 30 and 300
union all
select track_id, 'odd_isrc' as issue, isrc as detail from tracks where not has_isrc
union all
select track_id, 'odd_isrc_year' as issue, concat(isrc, ' / ', cast(release_year as varchar)) as detail from isrc_years where isrc_year > release_year + 3
-- noqa: enable=LT05,LT09,LT14
