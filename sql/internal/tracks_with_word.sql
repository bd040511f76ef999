-- Recordings whose lyrics have a word, in no order: to sort them would take longer than to find them.
-- params:
--   word  word in lower case
select track_id
from marts.lyric_words
where word = $word
