-- Every artist with a name, most played first; in a label's file, by the plays that the ledger counts for them.
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
    artists.name,
    artists.main_genre,
    artists.country
from marts.artist_profile as artists
left join counted on artists.artist_id = counted.artist_id
where artists.name is not null
order by artists.n_plays desc nulls last, counted.n_plays desc nulls last, artists.artist_id asc
