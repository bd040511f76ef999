-- What songs are about by year of release and country of the artist: of the recordings whose lyrics tell a theme, how many
-- have each as their main one. Years and countries with fewer than min_recordings of them are left out; unknown years and
-- countries are groups of their own.
-- params:
--   theme           theme, every one where empty =
--   country         country of the artist, ISO 3166-1 code or unknown; every one where empty =
--   min_recordings  least number of recordings of a year and country = 10
with counted as (
    select
        year(tracks.release_date) as release_year,
        coalesce(tracks.artist_country, 'unknown') as artist_country,
        themes.theme,
        count(*) as n_recordings
    from marts.lyric_themes as themes
    left join marts.track_features as tracks on themes.track_id = tracks.track_id
    where themes.is_main
    group by year(tracks.release_date), coalesce(tracks.artist_country, 'unknown'), themes.theme
),

shared as (
    select
        release_year,
        artist_country,
        theme,
        n_recordings,
        cast(sum(n_recordings) over (partition by release_year, artist_country) as bigint) as n_with_theme
    from counted
)

select
    release_year,
    artist_country,
    theme,
    n_recordings,
    n_with_theme,
    n_recordings / cast(n_with_theme as double) as share
from shared
where
    n_with_theme >= $min_recordings::bigint
    and ($theme = '' or theme = $theme)
    and ($country = '' or artist_country = $country)
order by release_year asc nulls last, artist_country asc, n_recordings desc, theme asc
