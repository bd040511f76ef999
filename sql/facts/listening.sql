-- Plays and reactions of each listener with each recording per day, with what they can be grouped by: the facts of the
-- metrics on listening.
-- grain: user_id, track_id, day
-- columns:
--   user_id              listener (pseudonymous id)
--   day                  day (market time zone)
--   country              country of the listener, ISO 3166-1 alpha-2 or unknown
--   gender               gender of the listener or unknown
--   age_band             age band of the listener or unknown
--   track_id             recording
--   artist_id            artist or unknown
--   label_id             label or unknown
--   label_type           major, independent or unknown
--   artist_gender        female, male, nonbinary, mixed or unknown
--   artist_country       ISO 3166-1 alpha-2 or unknown
--   genre                main genre or unknown
--   language             ISO 639 code of the lyrics or unknown
--   decade               decade of release or unknown
--   weight               plays: what the disclosure test is of [count]
--   n_plays              plays [count]
--   n_skips              skips [count]
--   n_active_plays       plays chosen by the listener [count]
--   n_algorithmic_plays  plays chosen by a recommender [count]
--   n_timed_listens      listens with known durations of listen and recording [count]
--   n_completions        timed listens of at least 90 % of the recording [count]
--   n_likes              likes [count]
--   n_saves              saves to the library [count]
--   n_playlist_adds      adds to a playlist [count]
--   n_shares             shares [count]
--   ms_played            time listened, null where the log has no durations [ms]
select
    daily.user_id,
    daily.listen_date as day,
    profiles.country,
    profiles.gender,
    profiles.age_band,
    daily.track_id,
    coalesce(tracks.artist_id, 'unknown') as artist_id,
    coalesce(tracks.label_id, 'unknown') as label_id,
    tracks.label_type,
    tracks.artist_gender,
    tracks.artist_country,
    tracks.genre,
    tracks.language,
    coalesce(cast(tracks.decade as varchar), 'unknown') as decade,
    daily.n_plays as weight,
    daily.n_plays,
    daily.n_skips,
    daily.n_active_plays,
    daily.n_algorithmic_plays,
    daily.n_timed_listens,
    daily.n_completions,
    daily.n_likes,
    daily.n_saves,
    daily.n_playlist_adds,
    daily.n_shares,
    daily.ms_played
from marts.interactions_daily as daily
inner join marts.listener_profile as profiles on daily.user_id = profiles.user_id
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
