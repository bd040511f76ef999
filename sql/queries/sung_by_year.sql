-- Languages of lyrics by year of release: recordings, and their share of the year's recordings with lyrics. Lyrics that do
-- not tell their language are unknown. Recordings without lyrics or without a release date are left out.
-- params:
--   from_year  first year, the first where empty =
--   to_year    last year, the last where empty =
with sung as (
    select
        year(tracks.release_date) as release_year,
        coalesce(lyrics.language, 'unknown') as language
    from marts.track_lyrics as lyrics
    inner join marts.track_features as tracks on lyrics.track_id = tracks.track_id
    where tracks.release_date is not null
)

select
    release_year,
    language,
    count(*) as n_tracks,
    1.0 * count(*) / sum(count(*)) over (partition by release_year) as share
from sung
where
    ($from_year = '' or release_year >= cast(nullif($from_year, '') as integer))
    and ($to_year = '' or release_year <= cast(nullif($to_year, '') as integer))
group by release_year, language
order by release_year asc, n_tracks desc, language asc
