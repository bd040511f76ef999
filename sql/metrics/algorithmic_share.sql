-- How much of the listening recommenders chose. Plays of unknown source are left out.
-- columns:
--   algorithmic_share  plays chosen by a recommender / plays whose source is known [0..1]
select n_algorithmic_plays / nullif(n_active_plays + n_algorithmic_plays, 0) as algorithmic_share from listening
