-- Languages of lyrics that are heard in each country: listeners, plays, and the share of the country's plays of recordings
-- with lyrics. Lyrics that do not tell their language are unknown, and so is a country that is not known. Languages with
-- fewer listeners than the limit are left out.
-- params:
--   from         first day, the first of the log where empty =
--   to           last day, the last of the log where empty =
--   n_listeners  listeners at least [count] = 10
with heard as (
    select
        profiles.country,
        coalesce(lyrics.language, 'unknown') as language,
        count(distinct daily.user_id) as n_listeners,
        cast(sum(daily.n_plays) as bigint) as n_plays
    from marts.interactions_daily as daily
    inner join marts.track_lyrics as lyrics on daily.track_id = lyrics.track_id
    inner join marts.listener_profile as profiles on daily.user_id = profiles.user_id
    where
        daily.n_plays > 0
        and ($from = '' or daily.listen_date >= cast(nullif($from, '') as date))
        and ($to = '' or daily.listen_date <= cast(nullif($to, '') as date))
    group by profiles.country, coalesce(lyrics.language, 'unknown')
),

shares as (
    select
        country,
        language,
        n_listeners,
        n_plays,
        1.0 * n_plays / sum(n_plays) over (partition by country) as share
    from heard
)

select
    country,
    language,
    n_listeners,
    n_plays,
    share
from shares
where n_listeners >= $n_listeners::integer
order by country asc, n_plays desc, language asc
