-- The release of each recording that has a release date: what an artist brought out on one label, on one day and under one
-- title.
-- grain: track_id
-- labels: track_id
-- rows: 0
-- columns:
--   track_id      recording
--   release_id    smallest id among the recordings of the release
--   title         title of the release, or of the recording, or its id
--   artist_id     credited artist, null for a stub
--   artist_name   artist name, null where the artist is unknown
--   label_id      label, null where unknown
--   release_date  release day
--   n_recordings  recordings of the release [count]
--   kind          single (up to 3 recordings), EP (up to 6) or album
-- checks:
--   release_id <= track_id
-- reconcile:
--   (select count(*) from marts.releases) = (select count(*) from marts.track_features where release_date is not null)
with titled as (
    select
        track_id,
        coalesce(release_title, title, track_id) as title,
        artist_id,
        artist_name,
        label_id,
        release_date
    from marts.track_features
    where release_date is not null
)

select
    track_id,
    min(track_id) over one_release as release_id,
    title,
    artist_id,
    artist_name,
    label_id,
    release_date,
    count(*) over one_release as n_recordings,
    case
        when count(*) over one_release <= 3 then 'single'
        when count(*) over one_release <= 6 then 'EP'
        else 'album'
    end as kind
from titled
window one_release as (partition by label_id, artist_id, release_date, title)
