-- Findings of the cleaning with names, the most played first, of equally played ones the surest.
with plays as (
    select
        track_id,
        sum(n_plays) as n_plays
    from marts.track_daily
    group by track_id
)

select
    findings.finding_id,
    findings.kind,
    findings.status,
    tracks.title,
    tracks.artist_name,
    others.title as other_title,
    others.artist_name as other_artist_name,
    findings.evidence,
    findings.against,
    findings.detail,
    findings.score,
    cast(coalesce(plays.n_plays, 0) + coalesce(other_plays.n_plays, 0) as bigint) as n_plays,
    findings.track_id,
    findings.other_track_id
from marts.review_findings as findings
inner join marts.track_features as tracks on findings.track_id = tracks.track_id
inner join marts.track_features as others on findings.other_track_id = others.track_id
left join plays on findings.track_id = plays.track_id
left join plays as other_plays on findings.other_track_id = other_plays.track_id
order by n_plays desc, findings.score desc, findings.finding_id asc
