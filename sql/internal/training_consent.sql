-- Training consent by track id and by ISRC; an ISRC whose recordings disagree is left out.
select
    track_id as name,
    training_consent
from marts.track_features
union all
select
    isrc as name,
    min(training_consent) as training_consent
from marts.track_features
where isrc is not null
group by isrc
having count(distinct training_consent) = 1
