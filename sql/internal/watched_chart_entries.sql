-- Songs of watched artists and recordings that entered a chart, or returned to it, since a day.
-- params:
--   artists     artist ids, a list
--   recordings  track ids, a list
--   since       first day, a date
select
    weeks.chart,
    weeks.chart_date as day,
    weeks.song_id,
    weeks.title,
    weeks.rank,
    weeks.is_new,
    songs.track_id,
    songs.artist_id
from marts.chart_weekly as weeks
inner join marts.chart_songs as songs on weeks.song_id = songs.song_id
where
    (weeks.is_new or weeks.is_reentry)
    and weeks.chart_date >= $since
    and (
        list_contains(cast($artists as varchar[]), songs.artist_id)
        or list_contains(cast($recordings as varchar[]), songs.track_id)
    )
order by weeks.chart_date asc, weeks.chart asc, weeks.rank asc, weeks.song_id asc
