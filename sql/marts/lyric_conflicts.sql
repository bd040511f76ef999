-- Recordings whose lyrics probably disagree with what was delivered: wrong_language, another language; unmarked, lyrics
-- that are probably explicit without the flag; marked, a flag without such words (from a certainty of 0.98 on, since many
-- clean versions are less sure). A recording may be a clean version whose
-- lyrics are those of the original. Languages that are often taken for each other are not told apart, former codes count
-- as their present ones, and zxx (no lyrics) is wrong.
-- grain: track_id, finding
-- rows: 0
-- labels: track_id
-- columns:
--   track_id   recording
--   finding    wrong_language, unmarked or marked
--   stated     the delivered language; explicit or not explicit
--   found      the language of the text; explicit or not explicit
--   certainty  probability of what was found; 0.5..1 for unmarked, 0.98..1 for marked
-- checks:
--   certainty between 0 and 1
--   finding <> 'marked' or certainty >= 0.98
--   stated <> found
-- reconcile:
--   (select count(*) from marts.lyric_conflicts where finding <> 'wrong_language') <= (select count(*) from marts.track_lyrics where stated_explicit is not null)
with language_groups as (
    select
        listed.code,
        listed.language_group
    from (
        values
        ('no', 'da'), ('nb', 'da'), ('nn', 'da'), ('hr', 'bs'), ('sr', 'bs'), ('sh', 'bs'),
        ('ms', 'id'), ('in', 'id'), ('pt', 'gl'), ('iw', 'he')
    ) as listed (code, language_group)
)

select
    lyrics.track_id,
    'wrong_language' as finding,
    lyrics.stated_language as stated,
    lyrics.language as found,
    lyrics.language_confidence as certainty
from marts.track_lyrics as lyrics
left join language_groups as stated_groups on lyrics.stated_language = stated_groups.code
left join language_groups as found_groups on lyrics.language = found_groups.code
where
    (length(lyrics.stated_language) = 2 or lyrics.stated_language = 'zxx')
    and coalesce(stated_groups.language_group, lyrics.stated_language)
    <> coalesce(found_groups.language_group, lyrics.language)
union all
select
    track_id,
    'unmarked' as finding,
    'not explicit' as stated,
    'explicit' as found,
    explicit_probability as certainty
from marts.track_lyrics
where not stated_explicit and explicit_probability >= 0.5
union all
select
    track_id,
    'marked' as finding,
    'explicit' as stated,
    'not explicit' as found,
    1 - explicit_probability as certainty
from marts.track_lyrics
where stated_explicit and explicit_probability <= 0.02
