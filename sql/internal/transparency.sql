-- What the summary of models says of the data of this installation, without any recording or listener.
with recordings as (
    select
        count(*) as n_recordings,
        sum(case when training_consent = 'granted' then 1 else 0 end) as n_granted,
        sum(case when training_consent = 'denied' then 1 else 0 end) as n_denied
    from marts.track_features
    where is_known
),

lyrics as (
    select
        count(*) as n_lyrics,
        sum(case when training_consent = 'granted' then 1 else 0 end) as n_lyrics_granted
    from marts.track_lyrics
),

listeners as (
    select
        count(*) as n_listeners,
        min(first_date) as first_day
    from marts.listener_profile
    where n_plays > 0
)

select
    build.as_of,
    recordings.n_recordings,
    cast(coalesce(recordings.n_granted, 0) as bigint) as n_granted,
    cast(coalesce(recordings.n_denied, 0) as bigint) as n_denied,
    lyrics.n_lyrics,
    cast(coalesce(lyrics.n_lyrics_granted, 0) as bigint) as n_lyrics_granted,
    listeners.n_listeners,
    listeners.first_day
from meta.build as build
cross join recordings
cross join lyrics
cross join listeners
