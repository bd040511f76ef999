-- Recordings of which lyrics are known, a text or its words.
select track_id
from marts.track_lyrics
order by track_id asc
