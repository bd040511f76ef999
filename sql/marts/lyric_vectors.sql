-- Vectors of the sections of lyrics by their meaning, of sections in a language that the encoder knows; a section that
-- repeats an earlier one has none. For use inside the company: they go into no label's file.
-- grain: track_id, section
-- rows: 0
-- columns:
--   track_id  recording
--   section   number of the section, from 1 (marts.lyric_sections)
--   encoder   encoder that computed the vector; only vectors of one encoder can be compared
--   vector    512 whole numbers, -127..127, in proportion to the embedding: their cosine similarity counts
-- checks:
--   encoder is not null
-- reconcile:
--   (select count(*) from marts.lyric_vectors) = (select count(*) from raw.lyric_vectors as vectors inner join staging.lyrics as lyrics on vectors.lyrics_id = lyrics.lyrics_id where lyrics.form <> 'words')
select
    lyrics.track_id,
    vectors.section,
    vectors.encoder,
    vectors.vector
from raw.lyric_vectors as vectors
inner join staging.lyrics as lyrics on vectors.lyrics_id = lyrics.lyrics_id
