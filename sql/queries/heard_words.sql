-- Words that taggers use for sound, by kind.
select
    kind,
    tag,
    count(*) as n_tracks
from marts.track_tags
where confidence >= 0.25
group by kind, tag
order by kind asc, n_tracks desc, tag asc
