-- Tracks, artists and listeners whose id or name contains every given word in any case, the most played first.
-- params:
--   words  words, a list; empty for all
--   n      number of rows, at most [count]
with plays as (
    select
        track_id,
        sum(n_plays) as n_plays
    from marts.track_daily
    group by track_id
),

things as (
    select
        'track' as kind,
        features.track_id as id,
        coalesce(features.title, '(unknown track)') as name,
        coalesce(features.artist_name, '') as more,
        cast(coalesce(plays.n_plays, 0) as bigint) as n_plays
    from marts.track_features as features
    left join plays on features.track_id = plays.track_id
    union all
    select
        'artist' as kind,
        artist_id as id,
        coalesce(name, '(unknown artist)') as name,
        main_genre as more,
        n_plays
    from marts.artist_profile
    union all
    select
        'listener' as kind,
        user_id as id,
        '' as name,
        concat_ws(', ', gender, age_band, country) as more,
        n_plays
    from marts.listener_profile
),

searchable as (
    select
        kind,
        id,
        name,
        more,
        n_plays,
        replace(replace(lower(nfc_normalize(concat_ws(' ', id, name, more))), 'ß', 'ss'), 'ς', 'σ') as text
    from things
)

select
    kind,
    id,
    name,
    more,
    n_plays
from searchable
where
    array_length(
        list_filter(
            cast($words as varchar[]),
            lambda word: not contains(text, replace(replace(lower(nfc_normalize(word)), 'ß', 'ss'), 'ς', 'σ'))
        )
    ) = 0
order by n_plays desc, kind asc, id asc
limit $n
