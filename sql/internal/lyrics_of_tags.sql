-- Measures of the lyrics of each recording, of those that models may learn from.
-- params:
--   consents  values of training_consent whose lyrics are read
select
    track_id,
    language as lyric_language,
    ln(n_words) as log_words,
    n_distinct_words / nullif(n_words, 0) as distinct_share,
    repetition
from marts.track_lyrics
where list_contains($consents, training_consent)
order by track_id asc
