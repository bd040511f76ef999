-- Topics of lyrics, found every night from the words of all recordings of a language, and named by the words that each has
-- more of than the others (method: recsys/analytics/topics.py). A topic keeps its number from night to night. Languages with
-- fewer than a hundred lyrics have none.
-- reason: analysts read it; raw tables are dropped when the build ends
-- grain: language, topic
-- rows: 0
-- columns:
--   language      ISO 639-1 code, with " stems" behind it where the words are stems
--   topic         number of the topic within its language
--   name          its three most distinctive words; explicit ones are left out
--   n_recordings  recordings with this topic [count]
--   words         its most distinctive words, at most twelve
-- checks:
--   n_recordings >= 0
-- reconcile:
--   (select coalesce(sum(n_recordings), 0) from marts.topics) = (select count(*) from raw.lyric_topics)
select
    language,
    topic,
    name,
    n_recordings,
    words
from raw.topics
