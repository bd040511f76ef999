-- Words of a text between spaces, in lower case, without accents and punctuation, as those of the names in
-- searched_tracks.sql.
-- params:
--   text  the text
select
    regexp_replace(
        replace(replace(lower(strip_accents(' ' || $text || ' ')), 'ß', 'ss'), 'ς', 'σ'), '[^\p{L}\p{N}]+', ' ', 'g'
    ) as words
