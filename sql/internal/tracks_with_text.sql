-- Recordings whose lyrics the lake keeps as a text, and the text.
select
    track_id,
    text_id
from marts.track_lyrics
where has_text
order by track_id asc
