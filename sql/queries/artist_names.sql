-- Every artist, most played first; in a label's file, by the plays that the ledger counts for them. Those without a name
-- in the catalogue are called by their id.
with counted as (
    select
        cell as artist_id,
        sum(value) as n_plays
    from marts.label_figures
    where dimension = 'artist' and measure = 'n_plays'
    group by cell
)

select
    artists.artist_id,
    coalesce(artists.name, artists.artist_id) as name,
    artists.main_genre,
    artists.country
from marts.artist_profile as artists
left join counted on artists.artist_id = counted.artist_id
order by artists.n_plays desc nulls last, counted.n_plays desc nulls last, artists.artist_id asc
