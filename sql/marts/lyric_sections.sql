-- Sections of the lyrics of each recording: where each begins, and its language. Recordings of which only the words are
-- known have no sections.
-- grain: track_id, section
-- rows: 0
-- labels: track_id
-- columns:
--   track_id             recording
--   section              number of the section, from 1
--   kind                 verse, chorus, pre-chorus, bridge, intro, outro, other or unknown
--   first_line           number of its first line, from 1
--   n_lines              lines [count]
--   n_words              words; in scripts without spaces, characters [count]
--   repeats              number of the first section with the same words, null if none is earlier
--   language             ISO 639-1 code, null where the section does not tell
--   language_options     where there is no language: those, often taken for each other, of which it is one; else null
--   language_confidence  probability of the language, or of the options together, 0..1; null where neither is known
--   start_ms             when it begins in the recording, null where unknown [ms]
--   end_ms               when it ends, null where unknown [ms]
-- checks:
--   repeats is null or repeats < section
--   language is null or language_options is null
-- reconcile:
--   (select count(distinct track_id) from marts.lyric_sections) <= (select count(*) from staging.lyrics where form <> 'words')
select
    lyrics.track_id,
    sections.section,
    sections.kind,
    sections.first_line,
    sections.n_lines,
    sections.n_words,
    sections.repeats,
    sections.language,
    sections.language_options,
    sections.language_confidence,
    sections.start_ms,
    sections.end_ms
from raw.lyric_sections as sections
inner join staging.lyrics as lyrics on sections.lyrics_id = lyrics.lyrics_id
