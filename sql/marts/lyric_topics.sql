-- Topic in marts.topics of the lyrics of each recording. Recordings without a word that tells a topic have none, nor have
-- those whose lyrics may not be used for training.
-- grain: track_id
-- rows: 0
-- labels: track_id
-- columns:
--   track_id  recording
--   language  as in marts.topics
--   topic     number of the topic within its language
--   name      name of the topic
--   share     how much of what topics explain of its words is due to this one, 0..1
-- checks:
--   share between 0 and 1.000001
-- reconcile:
--   (select count(*) from marts.lyric_topics) = (select count(*) from raw.lyric_topics)
select
    members.track_id,
    members.language,
    members.topic,
    topics.name,
    members.share
from raw.lyric_topics as members
inner join raw.topics as topics on members.language = topics.language and members.topic = topics.topic
