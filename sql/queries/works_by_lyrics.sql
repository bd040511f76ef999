-- Recordings that may be of one work by their lyrics, although no common ISWC says so: covers, versions in other
-- languages, texts that were delivered twice. Pairs with different ISWCs come first, then those without, by score.
-- params:
--   least  minimum score, 0..1 = 0.6
--   label  label id of one of the recordings, every label where empty =
select
    matches.track_id,
    tracks.title,
    tracks.artist_name,
    matches.other_track_id,
    others.title as other_title,
    others.artist_name as other_artist_name,
    matches.kind,
    matches.score,
    tracks.iswc,
    others.iswc as other_iswc
from marts.lyric_matches as matches
inner join marts.track_features as tracks on matches.track_id = tracks.track_id
inner join marts.track_features as others on matches.other_track_id = others.track_id
left join marts.duplicate_links as links on matches.track_id = links.track_id
left join marts.duplicate_links as other_links on matches.other_track_id = other_links.track_id
where
    not coalesce(matches.same_work, false)
    and matches.score >= cast($least as double)
    and ($label = '' or tracks.label_id = $label or others.label_id = $label)
    and coalesce(links.same_as, matches.track_id) <> coalesce(other_links.same_as, matches.other_track_id)
order by
    case when matches.same_work is null then 1 else 0 end asc,
    matches.score desc,
    matches.track_id asc,
    matches.other_track_id asc
