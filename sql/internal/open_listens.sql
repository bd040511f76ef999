-- Plays and reactions that no line of the ledger of labels' figures counts yet, with those of weeks that are open, by the
-- batch that brought them. Rows that lines count may be among them, if their recording has changed its label.
-- It runs during a build only, since it reads raw tables.
select
    reactions.user_id,
    reactions.track_id,
    reactions.listen_date,
    reactions.batch_no,
    cast(sum(reactions.n_plays) as bigint) as n_plays,
    cast(sum(reactions.n_skips) as bigint) as n_skips,
    cast(sum(reactions.n_saves) as bigint) as n_saves,
    cast(sum(reactions.n_likes) as bigint) as n_likes,
    cast(sum(reactions.n_playlist_adds) as bigint) as n_playlist_adds,
    cast(sum(reactions.ms_played) as bigint) as ms_played,
    cast(sum(reactions.n_active_plays) as bigint) as n_active_plays,
    cast(sum(reactions.n_algorithmic_plays) as bigint) as n_algorithmic_plays
from intermediate.reactions as reactions
left join staging.tracks as tracks on reactions.track_id = tracks.track_id
left join raw.closed_days as closed_days on reactions.listen_date = closed_days.day
left join raw.closed_weeks as weeks on tracks.label_id = weeks.label_id
left join raw.former_labels as former on reactions.track_id = former.track_id
where
    closed_days.day is null
    or reactions.batch_no > closed_days.last_batch
    or former.track_id is null
    or coalesce(former.label_id, '') <> coalesce(tracks.label_id, '')
    or reactions.batch_no <= former.last_batch
    or reactions.n_plays > 0 and reactions.listen_date > coalesce(weeks.n_plays, date '1995-01-01')
    or reactions.n_skips > 0 and reactions.listen_date > coalesce(weeks.n_skips, date '1995-01-01')
    or reactions.n_saves > 0 and reactions.listen_date > coalesce(weeks.n_saves, date '1995-01-01')
    or reactions.n_likes > 0 and reactions.listen_date > coalesce(weeks.n_likes, date '1995-01-01')
    or reactions.n_playlist_adds > 0 and reactions.listen_date > coalesce(weeks.n_playlist_adds, date '1995-01-01')
    or reactions.ms_played > 0 and reactions.listen_date > coalesce(weeks.ms_played, date '1995-01-01')
group by reactions.user_id, reactions.track_id, reactions.listen_date, reactions.batch_no
