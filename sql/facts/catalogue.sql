-- Each recording of the catalogue, whether it was played and whether a published list has it: the facts of the metrics on
-- coverage. Recordings that only the log mentions are left out. No row is about a listener.
-- grain: track_id
-- columns:
--   track_id        recording
--   artist_id       artist or unknown
--   label_id        label or unknown
--   label_type      major, independent or unknown
--   artist_gender   female, male, nonbinary, mixed or unknown
--   artist_country  ISO 3166-1 alpha-2 or unknown
--   genre           main genre or unknown
--   language        ISO 639 code of the lyrics or unknown
--   decade          decade of release or unknown
--   n_tracks        recordings [count]
--   n_listed        recordings on at least one list [count]
--   n_played        recordings with at least one play [count]
with listed as (
    select track_id
    from marts.recommendations
    group by track_id
),

played as (
    select track_id
    from marts.track_daily
    group by track_id
    having sum(n_plays) > 0
)

select
    tracks.track_id,
    coalesce(tracks.artist_id, 'unknown') as artist_id,
    coalesce(tracks.label_id, 'unknown') as label_id,
    tracks.label_type,
    tracks.artist_gender,
    tracks.artist_country,
    tracks.genre,
    tracks.language,
    coalesce(cast(tracks.decade as varchar), 'unknown') as decade,
    1 as n_tracks,
    case when listed.track_id is not null then 1 else 0 end as n_listed,
    case when played.track_id is not null then 1 else 0 end as n_played
from marts.track_features as tracks
left join listed on tracks.track_id = listed.track_id
left join played on tracks.track_id = played.track_id
where tracks.is_known
