-- Pairs of recordings whose lyrics are the same text, nearly the same, or a translation: evidence that they are one work
-- (covers, re-uploads, versions in other languages). Each further recording of a text is paired with the first one only.
-- grain: track_id, other_track_id
-- rows: 0
-- columns:
--   track_id        recording, by its id before the other one
--   other_track_id  other recording
--   kind            same_text; near_text, a few words differ; translation, the sections say the same in another language
--   score           same_text: 1; near_text: similarity of sequences of three words, 0..1; translation: similarity of sections, 0..1
--   n_sections      sections that correspond to each other, null except for a translation [count]
--   language        language of the lyrics, null where unknown
--   other_language  language of the other lyrics
--   same_artist     whether both have the same artist, null where one is unknown
--   same_work       whether both have the same ISWC, null where one has none
-- checks:
--   track_id < other_track_id
--   kind in ('same_text', 'near_text', 'translation')
--   score between 0 and 1
-- reconcile:
--   (select count(*) from marts.lyric_matches) = (select count(*) from raw.lyric_matches as pairs where pairs.track_id in (select lyrics.track_id from marts.track_lyrics as lyrics inner join marts.track_features as tracks on lyrics.track_id = tracks.track_id) and pairs.other_track_id in (select lyrics.track_id from marts.track_lyrics as lyrics inner join marts.track_features as tracks on lyrics.track_id = tracks.track_id))
select
    matches.track_id,
    matches.other_track_id,
    matches.kind,
    matches.score,
    matches.n_sections,
    lyrics.language,
    other_lyrics.language as other_language,
    tracks.artist_id = others.artist_id as same_artist,
    tracks.iswc = others.iswc as same_work
from raw.lyric_matches as matches
inner join marts.track_features as tracks on matches.track_id = tracks.track_id
inner join marts.track_features as others on matches.other_track_id = others.track_id
inner join marts.track_lyrics as lyrics on matches.track_id = lyrics.track_id
inner join marts.track_lyrics as other_lyrics on matches.other_track_id = other_lyrics.track_id
