-- Lists of genres with the number of recordings that have them.
select
    genres,
    count(*) as n_tracks
from marts.track_features
where genres is not null
group by genres
