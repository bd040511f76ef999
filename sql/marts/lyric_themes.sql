-- Themes of the lyrics of each recording: love, loss, party, protest, faith, money, road, nature, family, city, night and
-- dreams, by the meaning of its sections. Lyrics in languages that the encoder of texts does not know, and mere words, have
-- none; nor have lyrics that are about none of them. What lyrics are about is in marts.lyric_topics too, where it is found
-- from words alone.
-- grain: track_id, theme
-- rows: 0
-- labels: track_id
-- columns:
--   track_id  recording
--   theme     theme
--   share     share of the words that is about it, 0.1..1; shares of all themes add up to 1 at most
--   is_main   whether no theme of the recording has a larger share
-- checks:
--   share between 0.1 and 1
-- reconcile:
--   (select count(distinct track_id) from marts.lyric_themes) = (select count(*) from marts.lyric_themes where is_main)
--   (select count(*) from (select track_id from marts.lyric_themes group by track_id having sum(share) > 1.001) as over) = 0
select
    lyrics.track_id,
    themes.theme,
    themes.share,
    row_number() over (partition by lyrics.track_id order by themes.share desc, themes.theme asc) = 1 as is_main
from raw.lyric_themes as themes
inner join staging.lyrics as lyrics on themes.lyrics_id = lyrics.lyrics_id
