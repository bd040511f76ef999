-- Artists: the newest row per artist.
-- grain: artist_id
-- rows: 0
-- columns:
--   artist_id    artist
--   name         artist credit as delivered
--   gender       female, male, nonbinary, mixed (a group with several) or unknown
--   artist_type  person, group or unknown
--   country      ISO 3166-1 alpha-2, null where unknown
--   isni         ISNI, 16 characters, null where none or its check character was wrong
--   ipi          IPI name number as a writer, 11 digits, null where none or a check digit was wrong
-- checks:
--   gender in ('female', 'male', 'nonbinary', 'mixed', 'unknown')
-- reconcile:
--   (select count(*) from staging.artists) = (select count(distinct artist_id) from raw.artists_versions)
select
    artist_id,
    name,
    gender,
    artist_type,
    country,
    isni,
    ipi
from raw.artists
