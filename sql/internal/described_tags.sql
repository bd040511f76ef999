-- Moods and instruments that taggers heard, the most frequent first: the tags that free words of a search are compared
-- with by meaning. Genres are left out, since many of them are everyday words (house, country, rock, soul).
select tag
from marts.track_tags
where kind in ('mood', 'instrument') and tagger <> 'clusters'
group by tag
order by count(*) desc, tag asc
