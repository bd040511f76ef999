-- Explicit words in the lyrics of each recording: which word, in which line, and for which reason. A line is named by its
-- number only. Its lexicon is that of the language of its section, or of the lyrics where the section does not tell; the
-- counts of marts.track_lyrics (n_profanity, n_sex ...) are the sums of these hits.
-- grain: track_id, line, term
-- rows: 0
-- labels: track_id
-- columns:
--   track_id  recording
--   line      number of the line, from 1; null where only the words are known
--   term      word or phrase of the lexicon
--   reason    profanity, sex, violence or drugs
--   n         how often it occurs in the line, or in the lyrics where the line is null [count]
-- checks:
--   reason in ('profanity', 'sex', 'violence', 'drugs')
--   n >= 1
-- reconcile:
--   (select count(distinct track_id) from marts.lyric_hits) <= (select count(*) from marts.track_lyrics)
select
    lyrics.track_id,
    hits.line,
    hits.term,
    hits.kind as reason,
    hits.n
from raw.lyric_hits as hits
inner join staging.lyrics as lyrics on hits.lyrics_id = lyrics.lyrics_id
