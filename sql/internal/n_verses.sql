-- How many sections of lyrics have vectors of an encoder.
-- params:
--   encoder  the encoder
select count(*) as n_sections
from marts.lyric_vectors
where encoder = $encoder
