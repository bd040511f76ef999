-- Fields shown for recordings in a list by sound, and fields that keep the list varied. Copies of a recording share its
-- recording_id.
select
    tracks.track_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.release_title,
    coalesce(links.same_as, tracks.track_id) as recording_id,
    tracks.tempo_bpm,
    tracks.key,
    tracks.mode,
    tracks.beats_per_bar,
    tracks.main_chords,
    tracks.energy
from marts.track_features as tracks
left join marts.duplicate_links as links on tracks.track_id = links.track_id
order by tracks.track_id asc
