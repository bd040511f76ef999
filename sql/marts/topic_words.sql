-- Weight of each word in each topic of marts.topics, from which the next night goes on.
-- reason: analysts read it; raw tables are dropped when the build ends
-- grain: language, topic, word
-- rows: 0
-- columns:
--   language  as in marts.topics
--   topic     number of the topic within its language
--   word      word in lower case, or its stem
--   weight    weight of the word in the topic, 0..1; their squares add up to 1, or to less where small ones are left out
-- checks:
--   weight between 0 and 1.000001
-- reconcile:
--   (select count(*) from marts.topic_words) = (select count(*) from raw.topic_words)
select
    language,
    topic,
    word,
    weight
from raw.topic_words
