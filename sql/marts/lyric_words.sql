-- Words of the lyrics of each recording, without their order, and how often each occurs. For use inside the company: they
-- go into no label's file. Sorted by word, so that a search for some words reads little of it.
-- grain: track_id, word
-- rows: 0
-- columns:
--   track_id  recording
--   word      word in lower case (in scripts without spaces, a character), or its stem where marts.track_lyrics says so
--   n         how often it occurs [count]
-- checks:
--   n >= 1
-- reconcile:
--   (select count(distinct track_id) from marts.lyric_words) <= (select count(*) from staging.lyrics)
select
    lyrics.track_id,
    words.word,
    words.n
from raw.lyric_words as words
inner join staging.lyrics as lyrics on words.lyrics_id = lyrics.lyrics_id
order by words.word asc, lyrics.track_id asc
