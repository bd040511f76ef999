-- Recordings that can be searched for on a day: known and not withdrawn; with names as words in lower case, without accents
-- and punctuation, between spaces; and the confidence that the sound has no voice, or one. Unknown values are null.
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
    nullif(tracks.language, 'unknown') as language,
    tracks.explicit,
    tracks.available_in,
    tracks.tempo_bpm,
    tracks.key,
    tracks.mode,
    tracks.energy,
    tracks.danceability,
    tracks.loudness_lufs,
    voices.without_voice,
    voices.with_voice,
    regexp_replace(replace(lower(strip_accents(concat(' ', tracks.title, ' '))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g') as title_words,
    regexp_replace(
        replace(lower(strip_accents(concat(' ', tracks.artist_name, ' '))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as artist_words,
    regexp_replace(
        replace(lower(strip_accents(concat(' ', tracks.release_title, ' '))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as release_words,
    regexp_replace(
        replace(lower(strip_accents(concat(' ', tracks.label_name, ' '))), 'ß', 'ss'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as label_words,
    regexp_replace(lower(concat(' ', tracks.track_id, ' ', tracks.isrc, ' ')), '[^\p{L}\p{N}]+', ' ', 'g') as id_words
from marts.track_features as tracks
left join voices on tracks.track_id = voices.track_id
left join marts.duplicate_links as links on tracks.track_id = links.track_id
where tracks.is_known and (tracks.withdrawn_at is null or tracks.withdrawn_at > $as_of)
order by tracks.track_id asc
