-- Reactions per listener: likes, saves, adds to playlists and shares.
-- columns:
--   engagement  (likes + saves + playlist adds + shares) / listeners [x]
select (n_likes + n_saves + n_playlist_adds + n_shares) / nullif(n_listeners, 0) as engagement from listening
