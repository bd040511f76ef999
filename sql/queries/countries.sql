-- Plays and listeners of an artist by country, over whole weeks; a country's listeners are those of its best week, its
-- share is one of plays. The query audience has shares of listeners and of plays over the last 28 days.
-- params:
--   artist_id  artist id
--   from       first day, the first of the log where empty =
--   to         last day, the last of the log where empty =
select
    country,
    max(n_listeners) as n_listeners,
    sum(n_plays)::bigint as n_plays,
    sum(n_plays) / sum(sum(n_plays)) over () as play_share
from marts.country_weekly
where
    artist_id = $artist_id
    and ($from = '' or week_start >= cast(nullif($from, '') as date))
    and ($to = '' or week_start <= cast(nullif($to, '') as date))
group by country
order by n_plays desc, country asc
