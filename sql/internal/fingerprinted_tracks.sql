-- Recordings with an analysed audio file.
select track_id
from marts.track_audio
where audio_id is not null
order by track_id asc
