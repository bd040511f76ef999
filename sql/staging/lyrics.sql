-- The lyrics of each recording: a text before mere words, then the newest delivery. Recordings that are taken down have
-- none. The text itself stays in the lake: no table that is published has it.
-- grain: track_id
-- rows: 0
-- columns:
--   track_id              recording
--   source                who delivered them, unknown where it was not said
--   lyrics_id             delivery of the text, which its sections, words and hits have as well
--   text_id               text: recordings with the same one have the same lyrics
--   form                  text; timed, with times of lines; or words, without order
--   is_stemmed            whether the words are stems, null where unknown
--   licence               licence of the text, null where unknown
--   training_consent      what was delivered with the text: granted, denied or unknown; that of the recording is not in it
--   stated_language       ISO 639 code as delivered with the text, null where none was
--   has_text              whether the lake keeps the full text, since its licence permits it
--   n_lines               lines, null for mere words [count]
--   n_words               words; in scripts without spaces, characters [count]
--   n_distinct_words      different words [count]
--   repetition            share of lines that repeat an earlier one, 0..1; null for mere words
--   near_hash             64 bits in hexadecimal digits: few of them differ between nearly equal texts; null for mere words
--   language              ISO 639-1 code that the text as a whole tells, null where it does not tell
--   language_options      where there is no language: those, often taken for each other, of which it is one; else null
--   language_confidence   probability of the language, or of the options together, 0..1; null where neither is known
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
--   language is null or language_options is null
-- reconcile:
--   (select count(*) from staging.lyrics) <= (select count(*) from (select distinct track_id from raw.lyrics_versions) as rows)
with named as (
    select
        audio_names.track_id,
        lyrics.source,
        lyrics.lyrics_id,
        lyrics.text_id,
        lyrics.form,
        lyrics.is_stemmed,
        lyrics.licence,
        lyrics.training_consent,
        lyrics.language as stated_language,
        lyrics.text is not null as has_text,
        lyrics.n_lines,
        lyrics.n_words,
        lyrics.n_distinct_words,
        lyrics.repetition,
        lyrics.near_hash,
        lyrics.detected_language as language,
        lyrics.language_options,
        lyrics.language_confidence,
        lyrics.n_profanity,
        lyrics.n_sex,
        lyrics.n_violence,
        lyrics.n_drugs,
        lyrics.explicit_probability,
        lyrics.valence,
        lyrics.arousal,
        lyrics.happy_probability,
        lyrics.analyser,
        row_number() over (
            partition by audio_names.track_id
            order by
                case when lyrics.form = 'words' then 1 else 0 end asc,
                lyrics.batch_no desc, audio_names.name_no asc, lyrics.source asc
        ) as place
    from raw.lyrics as lyrics
    inner join staging.audio_names as audio_names on lyrics.track_id = audio_names.name
    left join staging.takedowns as takedowns on audio_names.track_id = takedowns.track_id
    where takedowns.track_id is null
)

select
    track_id,
    source,
    lyrics_id,
    text_id,
    form,
    is_stemmed,
    licence,
    training_consent,
    stated_language,
    has_text,
    n_lines,
    n_words,
    n_distinct_words,
    repetition,
    near_hash,
    language,
    language_options,
    language_confidence,
    n_profanity,
    n_sex,
    n_violence,
    n_drugs,
    explicit_probability,
    valence,
    arousal,
    happy_probability,
    analyser
from named
where place = 1
