-- Tags of the sound that a search takes into account, with the number of recordings.
select
    tag,
    count(*) as n_tracks
from marts.track_tags
where confidence >= 0.25
group by tag
