-- Words of lyrics in a known language from which topics may be learned. Stems are a language of their own, so that they are
-- not mixed with whole words.
select
    words.track_id,
    concat(lyrics.language, case when lyrics.is_stemmed then ' stems' else '' end) as language,
    words.word,
    words.n
from marts.lyric_words as words
inner join marts.track_lyrics as lyrics on words.track_id = lyrics.track_id
where lyrics.language is not null and lyrics.training_consent = 'granted'
