-- Weekly plays of an artist, complete weeks only.
-- params:
--   artist_id  artist
select
    week_start as day,
    cast(n_plays as double) as value
from marts.artist_weekly
where artist_id = $artist_id and week_start + 6 <= (select build.as_of from meta.build as build)
order by day asc
