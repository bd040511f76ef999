-- Recordings whose sound is happy and whose words are sad, or the reverse. Both sides are calibrated probabilities: of
-- words marts.track_lyrics.happy_probability; of sound the tags happy and sad of marts.track_tags, the mean where several
-- taggers are calibrated. The certainty is the product of both, as if they erred independently; at .5 or below, a recording
-- is not listed, and so not where either side is unknown.
-- grain: track_id
-- rows: 0
-- labels: track_id
-- columns:
--   track_id           recording
--   contrast           sad_words: with a happy sound; happy_words: with a sad sound
--   sound_probability  probability that the sound has its mood, 0..1
--   words_probability  probability that the words have theirs, 0..1
--   certainty          product of the two, 0.5..1
-- checks:
--   contrast in ('sad_words', 'happy_words')
--   certainty between 0.5 and 1
-- reconcile:
--   (select count(*) from marts.words_against_sound as found inner join marts.track_lyrics as lyrics on found.track_id = lyrics.track_id where (found.contrast = 'happy_words' and lyrics.happy_probability > 0.5) or (found.contrast = 'sad_words' and lyrics.happy_probability < 0.5)) = (select count(*) from marts.words_against_sound)
with heard as (
    select
        track_id,
        case when lower(tag) = 'happy' then 'sad_words' else 'happy_words' end as contrast,
        avg(probability) as sound_probability
    from marts.track_tags
    where kind = 'mood' and lower(tag) in ('happy', 'sad') and probability is not null
    group by track_id, contrast
),

compared as (
    select
        heard.track_id,
        heard.contrast,
        heard.sound_probability,
        case
            when heard.contrast = 'happy_words' then lyrics.happy_probability
            else 1 - lyrics.happy_probability
        end as words_probability
    from heard
    inner join marts.track_lyrics as lyrics on heard.track_id = lyrics.track_id
    where lyrics.happy_probability is not null
)

select
    track_id,
    contrast,
    sound_probability,
    words_probability,
    sound_probability * words_probability as certainty
from compared
where sound_probability * words_probability > 0.5
