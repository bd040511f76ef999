-- Recordings whose lyrics disagree with what was delivered, the surest first: wrong_language, another language; unmarked,
-- lyrics that are probably explicit without the flag; marked, a flag without such words. A recording may be a clean
-- version whose lyrics are those of the original. The certainty is the probability of what was found.
-- params:
--   explicit_from  probability of a flag from which a recording without it is listed, at least 0.5 = 0.5
--   explicit_to    probability of a flag up to which a recording with it is listed, at most 0.02 = 0.02
--   label          label id, every label where empty =
select
    found.track_id,
    tracks.title,
    tracks.artist_name,
    tracks.label_id,
    found.finding,
    found.stated,
    found.found,
    found.certainty
from marts.lyric_conflicts as found
left join marts.track_features as tracks on found.track_id = tracks.track_id
where
    (
        found.finding = 'wrong_language'
        or (found.finding = 'unmarked' and found.certainty >= $explicit_from::double)
        or (found.finding = 'marked' and found.certainty >= 1 - $explicit_to::double)
    )
    and ($label = '' or tracks.label_id = $label)
order by found.certainty desc, found.track_id asc, found.finding asc
