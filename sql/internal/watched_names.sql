-- Names of watched artists and recordings, of those that this file has.
-- params:
--   artists     artist ids, a list
--   recordings  track ids, a list
select
    'artist' as kind,
    artist_id as id,
    max(artist_name) as name,
    null as artist_id,
    null as artist_name
from marts.track_features
where list_contains(cast($artists as varchar[]), artist_id)
group by artist_id
union all
select
    'recording' as kind,
    track_id as id,
    coalesce(title, track_id) as name,
    artist_id,
    artist_name
from marts.track_features
where list_contains(cast($recordings as varchar[]), track_id)
