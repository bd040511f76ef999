-- Audio tags by kind, with the number of recordings that have each.
select
    kind,
    tag,
    count(*) as n_tracks
from marts.track_tags
where confidence >= 0.25
group by kind, tag
order by kind asc, n_tracks desc, tag asc
