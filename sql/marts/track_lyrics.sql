-- What is known of the lyrics of each recording, from its text or its words. The text itself is in no mart.
-- grain: track_id
-- rows: 0
-- labels: track_id
-- columns:
--   track_id              recording
--   source                who delivered them, unknown where it was not said
--   text_id               text: recordings with the same one have the same lyrics
--   form                  text; timed, with times of lines; or words, without order
--   is_stemmed            whether the words are stems, null where unknown
--   licence               licence of the text, null where unknown
--   training_consent      whether models may train on the text: granted, denied or unknown; denied too where that of the recording is
--   has_text              whether the lake keeps the full text, since its licence permits it
--   n_lines               lines, null for mere words [count]
--   n_words               words; in scripts without spaces, characters [count]
--   n_distinct_words      different words [count]
--   repetition            share of lines that repeat an earlier one, 0..1; null for mere words
--   near_hash             64 bits in hexadecimal digits: few of them differ between nearly equal texts; null for mere words
--   stated_language       ISO 639 code of the delivery of the text, else of the recording; null where none was stated
--   language              ISO 639-1 code that the text as a whole tells, null where it does not tell
--   language_options      where there is no language: those, often taken for each other, of which it is one; else null
--   language_confidence   probability of the language, or of the options together, 0..1; null where neither is known
--   n_languages           languages that sections are in, of at least a tenth of the words each [count]
--   stated_explicit       whether the recording was delivered as explicit, null where unknown
--   n_profanity           profane words by the lexicons of the sections' languages (marts.lyric_hits), null without any; in other languages than English sexual ones too [count]
--   n_sex                 sexual words, null where no section is English [count]
--   n_violence            words of violence and weapons, likewise [count]
--   n_drugs               words of drugs and alcohol, likewise [count]
--   explicit_probability  probability that the lyrics are marked explicit, 0..1; null for other languages than English
--   valence               mean rating of the words from sad (-1) to happy (1); null for other languages than English, stems and fewer than three rated words
--   arousal               mean rating of the words from calm (-1) to excited (1); null likewise
--   happy_probability     probability that the words are happy, not sad, 0..1; null where the valence is
--   analyser              version of the analysis
-- checks:
--   form in ('text', 'timed', 'words')
--   n_words >= n_distinct_words
--   n_languages >= 0
--   repetition is null or repetition between 0 and 1
--   explicit_probability is null or explicit_probability between 0 and 1
--   valence is null or valence between -1 and 1
--   arousal is null or arousal between -1 and 1
--   happy_probability is null or happy_probability between 0 and 1
-- reconcile:
--   (select count(*) from marts.track_lyrics) = (select count(*) from staging.lyrics)
with languages as (
    select
        track_id,
        count(*) as n_languages
    from marts.lyric_languages
    where language is not null and share >= 0.1
    group by track_id
)

select
    lyrics.track_id,
    lyrics.source,
    lyrics.text_id,
    lyrics.form,
    lyrics.is_stemmed,
    lyrics.licence,
    case when tracks.training_consent = 'denied' then 'denied' else lyrics.training_consent end as training_consent,
    lyrics.has_text,
    lyrics.n_lines,
    lyrics.n_words,
    lyrics.n_distinct_words,
    lyrics.repetition,
    lyrics.near_hash,
    coalesce(lyrics.stated_language, tracks.language) as stated_language,
    lyrics.language,
    lyrics.language_options,
    lyrics.language_confidence,
    coalesce(languages.n_languages, 0) as n_languages,
    tracks.explicit as stated_explicit,
    lyrics.n_profanity,
    lyrics.n_sex,
    lyrics.n_violence,
    lyrics.n_drugs,
    lyrics.explicit_probability,
    lyrics.valence,
    lyrics.arousal,
    lyrics.happy_probability,
    lyrics.analyser
from staging.lyrics as lyrics
left join staging.tracks as tracks on lyrics.track_id = tracks.track_id
left join languages on lyrics.track_id = languages.track_id
