-- Lyrics with lines, of recordings of the catalogue that are not taken down.
select
    lyrics.track_id,
    lyrics.near_hash,
    lyrics.n_words,
    lyrics.n_distinct_words,
    lyrics.language
from marts.track_lyrics as lyrics
inner join marts.track_features as features on lyrics.track_id = features.track_id
where lyrics.near_hash is not null and features.taken_down_at is null
order by lyrics.track_id asc
