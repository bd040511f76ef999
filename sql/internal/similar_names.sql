-- Names of artists, labels and recordings that share the most trigrams with a word or name that was not found.
-- params:
--   word  the word
--   n     names at most [count]
with names as (
    select artist_name as name from marts.track_features
    union distinct
    select label_name as name from marts.track_features
    union distinct
    select title as name from marts.track_features
)

select name
from names
where name is not null
order by jaro_winkler_similarity(lower(strip_accents(name)), lower(strip_accents($word))) desc, name asc
limit $n
