-- Recordings and artists whose names or ids contain every word, most played first.
-- params:
--   words  words to search for
--   label  label id, every label where empty =
--   genre  main genre, every genre where empty =
--   n      results at most [count] = 100
with plays as (
    select
        track_id,
        sum(n_plays)::bigint as n_plays
    from marts.track_daily
    group by track_id
),

entries as (
    select
        'track' as kind,
        tracks.track_id as id,
        tracks.title as name,
        tracks.artist_name as artist,
        tracks.track_id,
        tracks.artist_id,
        tracks.label_name as label,
        tracks.genre,
        tracks.release_date,
        plays.n_plays,
        tracks.label_id
    from marts.track_features as tracks
    left join plays on tracks.track_id = plays.track_id
    where tracks.title is not null
    union all
    select
        'artist' as kind,
        artist_id as id,
        name,
        name as artist,
        null as track_id,
        artist_id,
        null as label,
        main_genre as genre,
        null as release_date,
        n_plays,
        null as label_id
    from marts.artist_profile
    where name is not null
)

select
    kind,
    name,
    artist,
    label,
    genre,
    release_date,
    n_plays,
    id,
    track_id,
    artist_id,
    label_id,
    count(*) over () as n_found
from entries
where
    list_bool_and(
        [
            contains(
                replace(replace(lower(nfc_normalize(concat_ws(' ', id, name, artist, label))), 'ß', 'ss'), 'ς', 'σ'), word
            )
            for word in string_split(replace(replace(lower(nfc_normalize(trim($words))), 'ß', 'ss'), 'ς', 'σ'), ' ')
        ]
    )
    and ($label = '' or label_id = $label)
    and ($genre = '' or genre = $genre)
order by n_plays desc nulls last, kind asc, id asc
limit $n::integer
