-- Words of the lyrics of each recording and how often each occurs, of those that models may learn from.
-- params:
--   consents  values of training_consent whose lyrics are read
with permitted as (
    select track_id
    from marts.track_lyrics
    where list_contains($consents, training_consent)
)

select
    words.track_id,
    words.word,
    words.n
from marts.lyric_words as words
inner join permitted on words.track_id = permitted.track_id
order by words.track_id asc, words.word asc
