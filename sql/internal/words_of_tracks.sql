-- Words of the lyrics of each recording whose text may be used for training, with the language of the text.
select
    lyrics.track_id,
    lyrics.language,
    words.word,
    words.n
from marts.track_lyrics as lyrics
inner join marts.lyric_words as words on lyrics.track_id = words.track_id
where lyrics.training_consent = 'granted'
order by lyrics.track_id asc, words.word asc
