-- Weekly uses of each recording in uploads.
-- params:
--   track_id  recording, % for all = %
--   since     first day on which a use was found (YYYY-MM-DD) = 1970-01-01
select
    uses.track_id,
    features.title,
    features.artist_name,
    date_trunc('week', uses.found_on)::date as week_start,
    count(*) as n_uses,
    count(distinct uses.source_audio_id) as n_uploads,
    sum(uses.ends_s - uses.starts_s) as used_s
from marts.match_candidates as uses
left join marts.track_features as features on uses.track_id = features.track_id
where
    uses.source_kind = 'upload'
    and coalesce(uses.track_id, '') like $track_id
    and uses.found_on >= $since::date
group by uses.track_id, features.title, features.artist_name, week_start
order by week_start desc, n_uses desc, uses.track_id asc
