-- New-listener share: of the listeners of an artist in a week, those who had played nothing of the artist before. Over
-- several artists or weeks, each listener counts once per artist and week.
-- columns:
--   new_share  weeks of new listeners / weeks of all listeners [0..1]
select n_new / nullif(n_listener_weeks, 0) as new_share from newcomers
