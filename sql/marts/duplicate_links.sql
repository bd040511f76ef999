-- Recordings that are the same as another one, their representative: lists and similar recordings contain one of them.
-- Listens stay with the recording that was played. `recsys review` removes a link.
-- grain: track_id
-- rows: 0
-- labels: track_id
-- only: is_same_label
-- columns:
--   track_id       recording
--   same_as        representative of its group: with an ISRC and the earliest release, if one has these
--   evidence       isrc, names, sound (see marts.review_findings), or review for a link that only a person made
--   score          strength of the evidence, 0..1
--   decided_by     rule, or review where a person accepted the pair
--   is_same_label  whether both recordings have the same label
-- checks:
--   track_id <> same_as
--   score between 0 and 1
-- reconcile:
--   (select count(*) from marts.duplicate_links where same_as in (select track_id from marts.duplicate_links)) = 0
--   (select count(*) from marts.duplicate_links) <= (select count(*) from raw.duplicate_links)
select
    links.track_id,
    links.same_as,
    links.evidence,
    links.score,
    links.decided_by,
    coalesce(tracks.label_id = originals.label_id, false) as is_same_label
from raw.duplicate_links as links
inner join marts.track_features as tracks on links.track_id = tracks.track_id
inner join marts.track_features as originals on links.same_as = originals.track_id
