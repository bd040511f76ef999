-- Recordings that can be searched for on a day: known and not withdrawn; with names as words (see searched_words.sql), the
-- confidence that the sound has no voice, or one, and whether any tags of the sound are known. The language is the
-- delivered one, of the recording or of its text; text_language is what the text tells. Unknown values are null.
-- params:
--   as_of  last day of the data
with voices as (
    select
        track_id,
        max(case when tag in ('instrumental', 'no vocal', 'no vocals', 'no voice') then confidence else 0 end) as without_voice,
        max(case when tag in ('instrumental', 'no vocal', 'no vocals', 'no voice') then 0 else confidence end) as with_voice
    from marts.track_tags
    where kind = 'vocal'
    group by track_id
),

heard as (
    select distinct track_id
    from marts.track_tags
)

select
    tracks.track_id,
    coalesce(links.same_as, tracks.track_id) as recording_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    nullif(tracks.artist_country, 'unknown') as artist_country,
    tracks.label_id,
    tracks.label_name,
    nullif(tracks.label_type, 'unknown') as label_type,
    tracks.release_title,
    tracks.release_date,
    tracks.duration_ms,
    tracks.isrc,
    tracks.genres,
    coalesce(nullif(tracks.language, 'unknown'), lyrics.stated_language) as language,
    lyrics.language as text_language,
    lyrics.language_confidence as text_confidence,
    tracks.explicit,
    lyrics.explicit_probability,
    tracks.available_in,
    tracks.tempo_bpm,
    tracks.key,
    tracks.mode,
    tracks.energy,
    tracks.danceability,
    tracks.loudness_lufs,
    voices.without_voice,
    voices.with_voice,
    heard.track_id is not null as is_heard,
    lyrics.happy_probability,
    lyrics.arousal,
    regexp_replace(
        replace(replace(lower(strip_accents(' ' || tracks.title || ' ')), 'ß', 'ss'), 'ς', 'σ'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as title_words,
    regexp_replace(
        replace(replace(lower(strip_accents(' ' || tracks.artist_name || ' ')), 'ß', 'ss'), 'ς', 'σ'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as artist_words,
    regexp_replace(
        replace(replace(lower(strip_accents(' ' || tracks.release_title || ' ')), 'ß', 'ss'), 'ς', 'σ'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as release_words,
    regexp_replace(
        replace(replace(lower(strip_accents(' ' || tracks.label_name || ' ')), 'ß', 'ss'), 'ς', 'σ'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as label_words,
    regexp_replace(lower(concat(' ', tracks.track_id, ' ', tracks.isrc, ' ')), '[^\p{L}\p{N}]+', ' ', 'g') as id_words
from marts.track_features as tracks
left join voices on tracks.track_id = voices.track_id
left join heard on tracks.track_id = heard.track_id
left join marts.track_lyrics as lyrics on tracks.track_id = lyrics.track_id
left join marts.duplicate_links as links on tracks.track_id = links.track_id
where tracks.is_known and (tracks.withdrawn_at is null or tracks.withdrawn_at > $as_of)
order by tracks.track_id asc
