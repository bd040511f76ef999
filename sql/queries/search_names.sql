-- Recordings and artists whose names or ids contain every word, whatever its case or Unicode form, by name, without figures from listening.
-- params:
--   words  words to search for
--   genre  main genre, every genre where empty =
--   n      results at most [count] = 100
with entries as (
    select
        'track' as kind,
        title as name,
        artist_name as artist,
        genre,
        release_date,
        track_id as id,
        track_id,
        artist_id,
        replace(replace(lower(nfc_normalize(concat_ws(' ', track_id, title, artist_name, label_name))), 'ß', 'ss'), 'ς', 'σ') as searched
    from marts.track_features
    where title is not null
    union all
    select
        'artist' as kind,
        name,
        name as artist,
        main_genre as genre,
        null as release_date,
        artist_id as id,
        null as track_id,
        artist_id,
        replace(replace(lower(nfc_normalize(concat_ws(' ', artist_id, name))), 'ß', 'ss'), 'ς', 'σ') as searched
    from marts.artist_profile
    where name is not null
)

select
    kind,
    name,
    artist,
    genre,
    release_date,
    id,
    track_id,
    artist_id,
    count(*) over () as n_found
from entries
where
    list_bool_and([
        contains(searched, word)
        for word in string_split(replace(replace(lower(nfc_normalize(trim($words))), 'ß', 'ss'), 'ς', 'σ'), ' ')
    ])
    and ($genre = '' or genre = $genre)
order by name asc, kind asc, id asc
limit $n::integer
