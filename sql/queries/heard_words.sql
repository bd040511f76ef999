-- Audio tags by kind, with the number of recordings that have each: probably, or with a confidence of at least 0.25
-- where the tagger is not calibrated.
select
    kind,
    tag,
    count(distinct track_id) as n_tracks
from marts.track_tags
where case when probability is null then confidence >= 0.25 else probability >= 0.5 end
group by kind, tag
order by kind asc, n_tracks desc, tag asc
