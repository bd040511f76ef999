-- Themes of lyrics, for the search: what a recording is about, and how large a share of its words.
select
    track_id,
    theme,
    share
from marts.lyric_themes
order by track_id asc, theme asc
