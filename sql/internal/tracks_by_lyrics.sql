-- Fields shown for recordings in a list by lyrics, and fields that keep the list varied. Copies of a recording share its
-- recording_id.
select
    tracks.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.release_title,
    coalesce(links.same_as, tracks.track_id) as recording_id,
    lyrics.language,
    lyrics.n_words
from marts.track_features as tracks
inner join marts.track_lyrics as lyrics on tracks.track_id = lyrics.track_id
left join marts.duplicate_links as links on tracks.track_id = links.track_id
order by tracks.track_id asc
