"""The page of an artist: the ledger's figures in a label's file, all figures in the operator's warehouse."""

from math import ceil
from typing import Any

import polars as pl

from recsys.reports.one_page import blocks
from recsys.reports.one_page.content import N_ROWS, Card, OnePage, Shares, Table
from recsys.reports.one_page.curve import Curve, curve
from recsys.reports.one_page.label import parts_table, total_card, week_curve
from recsys.reports.wording import TOO_FEW, format_number, ledger_note, under_listeners
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query

FORECAST_UNIT = "the last eight weeks; dashed: forecast of the next 28 days with its 80 % interval"
CLOSED = {  # column of label_trend -> card
    "n_plays": "Plays",
    "n_listeners": "Listeners",
    "hours_played": "Hours played",
    "skip_share": "Skip share",
    "n_saves": "Saves",
    "n_likes": "Likes",
    "n_playlist_adds": "Playlist adds",
}
LATEST = {  # column of artist_trend -> card
    "n_listeners": "Listeners",
    "streams_per_listener": "Plays / listener",
    "skip_share": "Skip share",
    "save_rate": "Save rate",
    "completion_rate": "Completion rate",
}
CHANGES_NOTE = "Changes compare with as many days before; “-” means that there is no figure."
PERCENT = ("skip_share", "save_rate", "completion_rate")


def artist_page(warehouse: Warehouse, artist_id: str) -> OnePage:
    """
    Return the page of an artist.

    Args:
        warehouse: The file of the artist's label, or the operator's warehouse.
        artist_id: The artist.

    Raises:
        UnknownIds: The file has no such artist.
    """
    name = blocks.name_of(warehouse, "artist", artist_id)
    track_ids = run_query(warehouse, "artist_recordings", {"artist_id": artist_id})["track_id"].to_list()
    lists = [blocks.chart_positions(warehouse, track_ids), blocks.new_matches(warehouse, track_ids)]
    make = _own_page if blocks.is_of_label(warehouse) else _all_page
    return make(warehouse, artist_id, name, lists)


def _own_page(warehouse: Warehouse, artist_id: str, name: str, lists: list[Table]) -> OnePage:
    """Return the page that the artist's label sees, from its ledger."""
    owner = str(warehouse.query(internal_sql("label_of_file")).item())
    least = warehouse.query(internal_sql("least_listeners")).item()
    weeks = run_query(warehouse, "label_trend", {"dimension": "artist", "cell": artist_id})
    params = {"dimension": "recording", "artist_id": artist_id, "weeks": "4"}
    recordings = run_query(warehouse, "label_parts", params)
    title = "Recordings, last four closed weeks"
    return OnePage(
        "Artist",
        name,
        owner,
        f"{owner}, from its closed weeks",
        blocks.last_day(warehouse),
        _closed_cards(warehouse, artist_id, weeks),
        week_curve(warehouse, "artist", artist_id),
        [parts_table(title, "Recording", recordings), _weeks(weeks, least)],
        [_share(warehouse, artist_id, dimension) for dimension in blocks.GROUPS],
        lists,
        [ledger_note(least), *_blur(warehouse, artist_id)],
    )


def _closed_cards(warehouse: Warehouse, artist_id: str, weeks: pl.DataFrame) -> list[Card]:
    """Return the figures of the last closed week; plays also with their change, and those of four weeks."""
    if weeks.is_empty():
        return [Card(name, TOO_FEW) for name in CLOSED.values()]
    last = weeks.row(-1, named=True)
    days = blocks.period(last["from_day"], last["to_day"])
    missing = "withheld" if last["is_withheld"] else TOO_FEW
    cards = [Card(name, _figure(last, column, missing), "", days) for column, name in CLOSED.items()]
    week, month = (_part(warehouse, artist_id, n_weeks) for n_weeks in ("1", "4"))
    return [cards[0] if week is None else total_card("Plays", week, month, missing, "4 weeks"), *cards[1:]]


def _part(warehouse: Warehouse, artist_id: str, n_weeks: str) -> dict[str, Any] | None:
    """Return an artist's row of the query `label_parts`; None if a week has no figure of the artist."""
    row = run_query(warehouse, "label_parts", {"weeks": n_weeks}).filter(cell=artist_id).rename({"n_plays": "n_now"})
    return None if row.is_empty() else row.row(0, named=True)


def _figure(row: dict[str, Any], column: str, missing: str) -> str:
    return missing if row[column] is None else format_number(row[column], "%" if column in PERCENT else "")


def _weeks(weeks: pl.DataFrame, least: int | None) -> Table:
    """Return the last closed weeks, newest first."""
    rows = [
        [
            blocks.period(row["from_day"], row["to_day"]),
            *(_cell(row, column, "withheld" if row["is_withheld"] else TOO_FEW) for column in COLUMNS),
        ]
        for row in weeks.reverse().head(N_ROWS).iter_rows(named=True)
    ]
    nothing = f"Every closed week had {under_listeners(least)}."
    return Table("Closed weeks", ["Week", "Plays", "Listeners", "Skip share"], rows, nothing, "newest first")


COLUMNS = ("n_plays", "n_listeners", "skip_share")


def _cell(row: dict[str, Any], column: str, missing: str) -> str:
    """Return a figure of a column, whose counts all have their digits, or `missing`."""
    is_count = row[column] is not None and column not in PERCENT
    return blocks.count_text(row[column]) if is_count else _figure(row, column, missing)


def _share(warehouse: Warehouse, artist_id: str, dimension: str) -> Shares:
    """Return how the artist's plays divide in the last closed week with shares."""
    groups = _groups(warehouse, artist_id, dimension)
    note = f"share of plays, {blocks.period(groups['from_day'][0], groups['to_day'][0])}" if groups.height else ""
    return blocks.shares(dimension, groups, "Too few listeners to divide them.", note)


def _groups(warehouse: Warehouse, artist_id: str, dimension: str) -> pl.DataFrame:
    return run_query(warehouse, "label_artist_audience", {"artist_id": artist_id, "dimension": dimension})


def _blur(warehouse: Warehouse, artist_id: str) -> list[str]:
    """Return how far shares may be from the truth; nothing without shares."""
    errors = pl.concat([_groups(warehouse, artist_id, dimension)["error"] for dimension in blocks.GROUPS])
    if errors.is_empty():
        return []
    points = ceil(100 * float(errors.to_numpy().max()))
    return [f"To protect listeners, each share of a group is blurred by at most {points} points."]


def _all_page(warehouse: Warehouse, artist_id: str, name: str, lists: list[Table]) -> OnePage:
    """Return the operator's page."""
    labels = warehouse.query(internal_sql("labels_of_artist"), {"artist_id": artist_id})["label_name"].to_list()
    trend = run_query(warehouse, "artist_trend", {"artist_id": artist_id})
    return OnePage(
        "Artist",
        name,
        labels[0] if len(labels) == 1 else "",
        blocks.OPERATOR,
        blocks.last_day(warehouse),
        _all_cards(warehouse, artist_id, trend),
        _expected(warehouse, artist_id),
        [_all_recordings(warehouse, artist_id)],
        [_listeners(warehouse, artist_id, dimension) for dimension in ("country", "age_band", "gender")],
        lists,
        [CHANGES_NOTE, *([f"Labels: {', '.join(labels)}."] if len(labels) > 1 else [])],
    )


def _all_cards(warehouse: Warehouse, artist_id: str, trend: pl.DataFrame) -> list[Card]:
    """Return the plays of the last 7 and 28 days, then the figures that the artist's page has, of the last day."""
    week, month = (_totals(warehouse, artist_id, n_days) for n_days in (7, 28))
    cards = [total_card("Plays", week, month, "-", "28 days")]
    if trend.is_empty():
        return cards + [Card(name, "-") for name in LATEST.values()]
    last = trend.row(-1, named=True)
    days = {"completion_rate": "7 days"}
    on = f"on {blocks.period(last['listen_date'], last['listen_date'])}"
    return cards + [Card(name, _figure(last, key, "-"), "", days.get(key, on)) for key, name in LATEST.items()]


def _totals(warehouse: Warehouse, artist_id: str, n_days: int) -> dict[str, Any] | None:
    """Return the artist's plays of the last days and their change; None if the log is empty."""
    rows = warehouse.query(internal_sql("artist_totals"), {"artist_id": artist_id, "days": n_days})
    return None if rows.is_empty() else rows.row(0, named=True)


def _expected(warehouse: Warehouse, artist_id: str) -> Curve | None:
    """Return the plays of the last eight weeks and the forecast with its interval, where there is one."""
    days = run_query(warehouse, "forecast", {"artist_id": artist_id}).rename({"n_plays": "value"})
    forecast = days.filter("is_forecast")
    unit = FORECAST_UNIT if forecast.height else "the last eight weeks; there is no forecast"
    return curve("Plays per day", unit, days.filter(~pl.col("is_forecast")), forecast)


def _all_recordings(warehouse: Warehouse, artist_id: str) -> Table:
    """Return the most played recordings of the last 28 days."""
    tracks = run_query(warehouse, "artist_tracks", {"artist_id": artist_id})
    rows = [
        [
            row["title"],
            "-" if row["release_date"] is None else f"{row['release_date']:%-d %b %Y}",
            f"{row['n_plays']:,}",
            *(_figure(row, column, "-") for column in PERCENT if column in row),
            f"{row['n_saves']:,}",
        ]
        for row in tracks.head(N_ROWS).iter_rows(named=True)
    ]
    title = f"Recordings, {len(rows)} of {tracks.height:,}"
    headings = ["Recording", "Released", "Plays", "Skip share", "Completion rate", "Saves"]
    return Table(title, headings, rows, "The artist has no recording.", "28 days")


def _listeners(warehouse: Warehouse, artist_id: str, dimension: str) -> Shares:
    """Return how the artist's listeners of the last 28 days divide."""
    groups = run_query(warehouse, "audience", {"artist_id": artist_id, "dimension": dimension})
    named = groups.rename({"value": "name"})
    return blocks.shares(dimension, named, "There are too few listeners.", "share of listeners, 28 days")
