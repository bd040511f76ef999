"""What the steps of a run ask of the built warehouse, by the name of the parameter that takes the answer."""

# A stub cannot be shown to anybody; where no catalogue was ever delivered, everything is a stub and may be.
CATALOGUE = """
select track_id, title, artist_id, artist_name, release_date, available_in, withdrawn_at, tempo_bpm, energy
from marts.track_features
where (is_known or not exists (select 1 from marts.track_features where is_known))
    and (release_date is null or release_date <= $served_on)
"""
DAILY_PLAYS = """
select listen_date, sum(n_plays)::bigint as n_plays from marts.track_daily
where listen_date > $as_of::date - 28 group by listen_date having sum(n_plays) > 0
"""
QUERIES = {
    "artist_days": "select artist_id, listen_date, n_plays from marts.artist_daily",
    "artists": "select artist_id, name from marts.artist_profile order by artist_id",
    "built_tables": "select name, n_rows from meta.tables where name like 'marts.%'",
    "catalogue": CATALOGUE,
    "chart_weeks": "select chart, song_id, lead_artist, chart_date, week_no, rank from marts.chart_weekly",
    "daily_plays": DAILY_PLAYS,
    "feedback": "select features, reward from marts.feedback where is_complete order by run_id, user_id, rank",
    "listeners": "select user_id, country, age_band from marts.listener_profile order by user_id",
    "playlists": "select playlist_id, position, track_id from marts.playlist_tracks order by playlist_id, position",
    "track_groups": "select track_id, group_kind, group_name from marts.track_groups order by group_kind, track_id",
}
