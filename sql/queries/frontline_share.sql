-- Weekly plays of catalogue and frontline recordings (age in calendar months, see marts.catalogue_split), of one
-- artist, of a label's artists, or of all. A week that began before the log is left out.
-- params:
--   artist_id  artist id, every artist where empty =
--   label      label id, every label where empty =
--   from       first day, the first of the log where empty =
--   to         last day, the last of the log where empty =
select
    week_start,
    age_group,
    sum(n_tracks)::bigint as n_tracks,
    sum(n_plays)::bigint as n_plays,
    sum(n_plays) / sum(sum(n_plays)) over (partition by week_start) as share
from marts.catalogue_split
where
    week_start >= (select min(daily.listen_date) from marts.track_daily as daily)
    and ($artist_id = '' or artist_id = $artist_id)
    and (
        $label = ''
        or artist_id in (
            select tracks.artist_id
            from marts.track_features as tracks
            where tracks.label_id = $label
        )
    )
    and ($from = '' or week_start >= cast(nullif($from, '') as date))
    and ($to = '' or week_start <= cast(nullif($to, '') as date))
group by week_start, age_group
order by week_start asc, age_group asc
