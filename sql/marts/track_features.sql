-- What is known of each recording. A recording that is only mentioned, by the log, a playlist or audio data, is a stub:
-- is_known is false.
-- grain: track_id
-- labels: track_id
-- columns:
--   track_id          recording
--   title             title, null for a stub
--   artist_id         credited artist, null for a stub
--   artist_name       artist name, null where the artist is unknown
--   artist_gender     female, male, nonbinary, mixed or unknown
--   artist_type       person, group or unknown
--   artist_country    ISO 3166-1 alpha-2 or unknown
--   label_id          label, null where unknown
--   label_name        name of the label, null where unknown
--   label_type        major, independent or unknown
--   release_title     title of the release, null where unknown
--   release_date      release day, null where unknown
--   decade            decade of release, null where unknown [years]
--   duration_ms       length, null where unknown [ms]
--   isrc              ISRC as delivered, null where none
--   iswc              ISWC of the musical work, null where none or wrong
--   genre             main genre or unknown
--   genres            all genres, the main one first, null where none
--   language          ISO 639 code of the lyrics or unknown
--   explicit          whether the lyrics are marked explicit, null where unknown
--   available_in      territories where it may be played, null where everywhere
--   withdrawn_at      first day on which it may no longer be recommended, null where none; includes takedowns
--   taken_down_at     first day on which no index of embeddings or fingerprints may hold it, null where none
--   training_consent  granted, denied or unknown
--   is_known          whether the catalogue describes it
--   tempo_bpm         tempo, null where not analysed [1/min]
--   key               tonic: C, C#, D and so on, null where not analysed
--   mode              major or minor, null where not analysed
--   beats_per_bar     beats per bar, 2 to 4, null where not analysed or not heard clearly
--   main_chords       the up to four chords that sound longest, longest first, null where not analysed or none is heard
--   energy            perceived energy, 0..1, null where not analysed
--   danceability      danceability, 0..1, null where not analysed
--   loudness_lufs     integrated loudness, null where not analysed [LUFS]
-- checks:
--   is_known or title is null
--   duration_ms is null or duration_ms > 0
-- reconcile:
--   (select count(*) from marts.track_features where is_known) = (select count(*) from staging.tracks)
--   (select count(*) from marts.track_features) >= (select count(distinct track_id) from marts.interactions_daily)
with mentioned as (
    select track_id from staging.tracks
    union distinct
    select track_id from marts.interactions_daily
    union distinct
    select track_id from staging.playlists
    union distinct
    select track_id from staging.audio_names
    where is_of_audio
)

select
    mentioned.track_id,
    tracks.title,
    tracks.artist_id,
    artists.name as artist_name,
    coalesce(artists.gender, 'unknown') as artist_gender,
    coalesce(artists.artist_type, 'unknown') as artist_type,
    coalesce(artists.country, 'unknown') as artist_country,
    tracks.label_id,
    labels.name as label_name,
    coalesce(labels.label_type, 'unknown') as label_type,
    tracks.release_title,
    tracks.release_date,
    cast(floor(year(tracks.release_date) / 10) * 10 as bigint) as decade,
    tracks.duration_ms,
    tracks.isrc,
    tracks.iswc,
    coalesce(tracks.genres[1], 'unknown') as genre,
    tracks.genres,
    coalesce(tracks.language, 'unknown') as language,
    tracks.explicit,
    tracks.available_in,
    least(tracks.withdrawn_at, takedowns.taken_down_at) as withdrawn_at,
    takedowns.taken_down_at,
    coalesce(tracks.training_consent, 'unknown') as training_consent,
    tracks.track_id is not null as is_known,
    audio.tempo_bpm,
    audio.key,
    audio.mode,
    audio.beats_per_bar,
    audio.main_chords,
    audio.energy,
    audio.danceability,
    audio.loudness_lufs
from mentioned
left join staging.tracks as tracks on mentioned.track_id = tracks.track_id
left join staging.artists as artists on tracks.artist_id = artists.artist_id
left join staging.labels as labels on tracks.label_id = labels.label_id
left join marts.track_audio as audio on mentioned.track_id = audio.track_id
left join staging.takedowns as takedowns on mentioned.track_id = takedowns.track_id
