-- Names of the artists that a label's lines of overlap name (marts.label_figures): each has a recording that was released
-- and played, so that its name is public. Most belong to other labels.
-- grain: label_id, artist_id
-- rows: 0
-- labels: label_id
-- columns:
--   label_id   label
--   artist_id  other artist in its lines
--   name       name of the artist, its id where unknown
-- checks:
--   name is not null
-- reconcile:
--   (select count(*) from marts.overlapping_artists) <= (select count(*) from marts.label_figures where dimension = 'overlap')
select distinct
    figures.label_id,
    figures.cell as artist_id,
    coalesce(artists.name, figures.cell) as name
from marts.label_figures as figures
left join marts.artist_profile as artists on figures.cell = artists.artist_id
where figures.dimension = 'overlap'
