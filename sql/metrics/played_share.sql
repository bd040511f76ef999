-- Catalogue coverage of listening, over the whole log.
-- columns:
--   played_share  recordings with at least one play / recordings of the catalogue [0..1]
select n_played / nullif(n_tracks, 0) as played_share from catalogue
