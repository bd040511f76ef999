-- Consent to training of each recording and of its lyrics as the warehouse has them, and whether it may be trained on at
-- all: the catalogue describes it, and it is not taken down.
select
    tracks.track_id,
    upper(replace(tracks.isrc, '-', '')) as isrc,
    tracks.training_consent as recording_consent,
    lyrics.training_consent as lyrics_consent,
    tracks.is_known and tracks.taken_down_at is null as is_in_catalogue
from marts.track_features as tracks
left join marts.track_lyrics as lyrics on tracks.track_id = lyrics.track_id
