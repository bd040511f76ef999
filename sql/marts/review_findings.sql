-- Findings of the cleaning, as pairs of recordings for a person to accept or reject: duplicates, recordings that
-- sound like another artist's, and genres, tempos and languages that the sound contradicts. `recsys review` lists them
-- (method: recsys/cleaning, accuracy: bench/cleaning).
-- reason: the review list, its page and analysts read it; raw tables are dropped when the build ends
-- grain: finding_id
-- rows: 0
-- columns:
--   finding_id      finding; the same in every run
--   kind            duplicate; wrong_artist: the same sound under different artists; or, of a recording paired with itself, wrong_genre, wrong_tempo (half or double the measured one) or wrong_language (a voice without lyrics, or lyrics without a voice)
--   track_id        recording; of a wrong_artist, the one whose artist is more doubtful
--   other_track_id  the recording that it is compared with
--   evidence        isrc (the same), names (the same title, artist and length), sound (the same), or several of them; of a recording paired with itself, learned genres, measured tempo, learned tags or tags; empty for a pair that only a person links
--   against         what speaks against the pair, such as another version; empty where nothing does
--   detail          the evidence in words
--   score           strength of the evidence, 0..1; halved if something speaks against the pair; of a wrong_genre, the probability of the other genre; of a wrong_tempo, that of the measured tempo; of a wrong_language, that of a learned tag or, for tags without one, their confidence
--   status          linked (by rule), proposed (to a person), accepted or rejected (by a person)
-- checks:
--   score between 0 and 1
--   (kind in ('duplicate', 'wrong_artist')) = (track_id <> other_track_id)
-- reconcile:
--   (select count(*) from marts.review_findings) = (select count(*) from raw.review_findings)
select
    finding_id,
    kind,
    track_id,
    other_track_id,
    evidence,
    against,
    detail,
    score,
    status
from raw.review_findings
