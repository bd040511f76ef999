"""Home: the totals with their change, and the findings of the morning report, each of which opens its evidence."""

import streamlit as st

from dashboards import charts, data, filters, home, ledger, parts, sentences

PAGE = {"title": "Home", "section": "Music", "order": 10, "for_labels": True}

PERIODS = {"7": "the last 7 days", "1": "the last day", "28": "the last 28 days"}
MEASURES = {
    "n_plays": "Plays",
    "n_tracks": "Tracks played",
    "n_saves": "Saves",
    "n_likes": "Likes",
    "n_playlist_adds": "Playlist adds",
    "n_skips": "Skips",
}

if not data.is_operator():
    ledger.overview()
    st.stop()

parts.header("Home", "What changed, compared with the same weekdays of the period before.")
with filters.row():
    days = filters.choose("Period", PERIODS, "days")
    chosen = filters.catalogue_filters()

if not chosen["genre"]:
    parts.report_downloads(*data.label_report(chosen["label"]))
changes = data.run_query("what_changed", days=days, **chosen)
if changes.is_empty():
    parts.empty_state("There were no plays in this period.", "Choose a longer period, or another label or genre.")
    st.stop()
movers = data.run_query("artist_changes", days=days, **chosen)
releases = data.run_query("new_releases", **chosen)

summary = [sentences.change_sentence(MEASURES[row["measure"]], row) for row in changes.head(2).iter_rows(named=True)]
summary += sentences.largest_changes(movers)
parts.bullets(summary)

with st.container(horizontal=True):
    for row in changes.iter_rows(named=True):
        parts.metric(
            MEASURES[row["measure"]],
            row["n_now"],
            column=("track_daily", row["measure"]),
            change=row["change"],
            less_is_better=row["measure"] == "n_skips",
        )

if not any(chosen.values()):
    home.findings()
by_day = data.run_query("plays_by_day", **chosen)
parts.figure(
    "Plays per day",
    by_day,
    charts.lines(by_day, "listen_date", "n_plays", unit="plays per day, at most the last eight weeks"),
    alt_text=f"Plays per day over at most the last eight weeks, {by_day['n_plays'][-1]:,} on the last day.",
    key="plays_by_day",
)
if movers.is_empty():
    parts.empty_state("No artist's plays can be compared.", "Few changed, or the data do not cover both periods.")
else:
    parts.figure(
        "Artists whose plays changed most",
        movers,
        charts.bars(movers, "difference", "artist_name", unit="change in plays from the period before"),
        alt_text=f"First is {movers['artist_name'][0]} with {movers['difference'][0]:+,} plays.",
        key="artist_changes",
        opens="artist_name",
    )
if releases.is_empty():
    parts.empty_state("Nothing was released in the last 28 days.", "Other labels or genres may have new releases.")
else:
    parts.table(
        releases.drop("label_name"),
        mart="track_features",
        key="new_releases",
        title="New releases",
        names={"artist_name": "artist", "release_date": "released"},
    )
