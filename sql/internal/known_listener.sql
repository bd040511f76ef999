-- One row if any file mentions the listener, none otherwise.
-- params:
--   user_id  listener (pseudonymous id)
select user_id from marts.listener_profile
where user_id = $user_id
