-- Each position of each listener's published list, with what it can be grouped by: the facts of the metrics on exposure.
-- grain: user_id, track_id
-- columns:
--   user_id         listener (pseudonymous id)
--   country         country of the listener, ISO 3166-1 alpha-2 or unknown
--   gender          gender of the listener or unknown
--   age_band        age band of the listener or unknown
--   track_id        recording
--   artist_id       artist or unknown
--   label_id        label or unknown
--   label_type      major, independent or unknown
--   artist_gender   female, male, nonbinary, mixed or unknown
--   artist_country  ISO 3166-1 alpha-2 or unknown
--   genre           main genre or unknown
--   language        ISO 639 code of the lyrics or unknown
--   decade          decade of release or unknown
--   weight          exposure: what the disclosure test is of [positions]
--   exposure        1 / log2(1 + rank) of each position [positions]
--   n_places        list positions [count]
select
    lists.user_id,
    profiles.country,
    profiles.gender,
    profiles.age_band,
    lists.track_id,
    coalesce(tracks.artist_id, 'unknown') as artist_id,
    coalesce(tracks.label_id, 'unknown') as label_id,
    tracks.label_type,
    tracks.artist_gender,
    tracks.artist_country,
    tracks.genre,
    tracks.language,
    coalesce(cast(tracks.decade as varchar), 'unknown') as decade,
    ln(2) / ln(1 + lists.rank) as weight,
    ln(2) / ln(1 + lists.rank) as exposure,
    1 as n_places
from marts.recommendations as lists
inner join marts.listener_profile as profiles on lists.user_id = profiles.user_id
inner join marts.track_features as tracks on lists.track_id = tracks.track_id
