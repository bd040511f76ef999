-- Chromagrams of the recordings whose tunes are compared, one per file; takedowns are left out.
select
    audio.audio_id,
    min(timeline.chromagram) as chromagram
from marts.track_audio as audio
inner join marts.track_timeline as timeline on audio.track_id = timeline.track_id
inner join marts.track_features as features on audio.track_id = features.track_id
where audio.audio_id is not null and timeline.chromagram is not null and features.taken_down_at is null
group by audio.audio_id
order by audio.audio_id asc
