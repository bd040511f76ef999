-- Recordings of an artist without figures from listening; those whose plays the ledger counts most come first.
-- params:
--   artist_id  artist id
with recordings as (
    select
        cell as track_id,
        sum(value) as n_plays
    from marts.label_figures
    where artist_id = $artist_id and dimension = 'recording' and measure = 'n_plays'
    group by cell
)

select
    tracks.track_id,
    tracks.title,
    tracks.release_title,
    tracks.release_date
from marts.track_features as tracks
left join recordings on tracks.track_id = recordings.track_id
where tracks.artist_id = $artist_id and tracks.title is not null
order by recordings.n_plays desc nulls last, tracks.title asc, tracks.track_id asc
