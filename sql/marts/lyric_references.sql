-- Names in the lyrics of each recording: places, persons and brands of a gazetteer, and artists and titles of the
-- catalogue. Only English sections of full texts are read, where a name has capital letters; precision comes before recall.
-- Of artists, names of one word are left out if more than one in a hundred lyrics has them (and more than two have), of
-- titles all of one word. Own titles and artists are no references, nor are artists and titles called like a place or a brand;
-- a person of the gazetteer may be an artist as well. Names are compared without case, signs and spaces. Of texts that are
-- not kept there are only names of the gazetteer, once each and without their line.
-- grain: track_id, line, kind, term
-- rows: 0
-- columns:
--   track_id     recording
--   line         number of the line, from 1; null where the text is not kept
--   kind         place, person, brand, artist or title
--   term         name, in lower case
--   n_referred   artists or recordings of the catalogue with the name; null for other kinds [count]
--   referred_id  the first of their ids; null for other kinds
-- checks:
--   kind in ('place', 'person', 'brand', 'artist', 'title')
--   n_referred is null or n_referred >= 1
-- reconcile:
--   (select count(*) from marts.lyric_references where kind in ('place', 'person', 'brand')) = (select count(*) from raw.lyric_names as names inner join staging.lyrics as lyrics on names.lyrics_id = lyrics.lyrics_id where names.kind is not null)
with names as (
    select
        lyrics.track_id,
        names.line,
        names.key,
        names.n_words,
        names.term,
        names.kind,
        titles.key as own_title,
        artists.key as own_artist
    from raw.lyric_names as names
    inner join staging.lyrics as lyrics on names.lyrics_id = lyrics.lyrics_id
    left join staging.tracks as tracks on lyrics.track_id = tracks.track_id
    left join intermediate.catalogue_names as titles on lyrics.track_id = titles.id and titles.kind = 'title'
    left join intermediate.catalogue_names as artists on tracks.artist_id = artists.id and artists.kind = 'artist'
),

usual as (
    select key
    from names
    group by key
    having count(distinct track_id) > greatest(2, 0.01 * (select count(*) from staging.lyrics))
),

catalogue_references as (
    select
        names.track_id,
        names.line,
        keys.kind,
        min(keys.term) as term,
        count(distinct keys.id) as n_referred,
        min(keys.id) as referred_id
    from names
    inner join intermediate.catalogue_names as keys on names.key = keys.key
    left join usual on names.key = usual.key
    where
        (
            keys.kind = 'artist'
            and (names.n_words > 1 or usual.key is null)
            and (names.kind is null or names.kind = 'person')
            and (names.own_artist is null or names.own_artist <> names.key)
        )
        or (
            keys.kind = 'title'
            and names.n_words > 1
            and names.kind is null
            and (names.own_title is null or names.own_title <> names.key)
        )
    group by names.track_id, names.line, keys.kind, names.key
)

select
    track_id,
    line,
    kind,
    term,
    cast(null as bigint) as n_referred,
    cast(null as varchar) as referred_id
from names
where kind is not null
union all
select
    track_id,
    line,
    kind,
    term,
    n_referred,
    referred_id
from catalogue_references
