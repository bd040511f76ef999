-- Languages of the lyrics of each recording, by sections: mixed lyrics have several. Words of sections that do not tell
-- their language have the language null.
-- grain: track_id, language
-- rows: 0
-- labels: track_id
-- columns:
--   track_id  recording
--   language  ISO 639-1 code, null for sections that do not tell
--   n_words   words of these sections [count]
--   share     share of the words of all sections, 0..1
-- checks:
--   share between 0 and 1
-- reconcile:
--   (select count(distinct track_id) from marts.lyric_languages) = (select count(distinct track_id) from marts.lyric_sections where n_words > 0)
with counted as (
    select
        track_id,
        language,
        cast(sum(n_words) as bigint) as n_words
    from marts.lyric_sections
    where n_words > 0
    group by track_id, language
)

select
    track_id,
    language,
    n_words,
    n_words / cast(sum(n_words) over (partition by track_id) as double) as share
from counted
