-- Share of streams of each group, such as a territory; the shares of a period add up to 1.
-- columns:
--   play_share  plays / plays of all groups [0..1]
select n_plays / nullif(sum(n_plays) over (partition by period), 0) as play_share from listening
