-- Catalogue coverage of the published lists.
-- columns:
--   listed_share  recordings on at least one list / recordings of the catalogue [0..1]
select n_listed / nullif(n_tracks, 0) as listed_share from catalogue
