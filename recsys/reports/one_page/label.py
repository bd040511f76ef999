"""The page of a label: its ledger's figures in its own file, all figures in the operator's warehouse."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from recsys.reports.one_page import blocks
from recsys.reports.one_page.content import N_ROWS, Card, OnePage, Shares, Table
from recsys.reports.one_page.curve import Curve, curve
from recsys.reports.wording import TOO_FEW, format_number, ledger_note
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query

MEASURES = {
    "n_plays": "Plays",
    "n_listeners": "Listeners",
    "hours_played": "Hours played",
    "n_tracks": "Recordings",
    "n_skips": "Skips",
    "n_saves": "Saves",
    "n_likes": "Likes",
    "n_playlist_adds": "Playlist adds",
}
WEEK_UNIT = "plays per day, average of each closed week"


def label_page(warehouse: Warehouse, label_id: str = "") -> OnePage:
    """
    Return the page of a label.

    Args:
        warehouse: The label's own file, or the operator's warehouse.
        label_id: The label, in the operator's warehouse; '' for the whole catalogue. Not read in a label's own file.

    Raises:
        UnknownIds: The warehouse has no recording or figure of the label.
    """
    if blocks.is_of_label(warehouse):
        return _own_page(warehouse)
    name = blocks.name_of(warehouse, "label", label_id) if label_id else "The whole catalogue"
    owners = warehouse.query(internal_sql("labels_of_tracks"))
    track_ids = owners.filter(label_id=label_id)["track_id"].to_list() if label_id else None
    return OnePage(
        "Label",
        name,
        "",
        blocks.OPERATOR,
        blocks.last_day(warehouse),
        _all_cards(warehouse, label_id),
        _daily_curve(warehouse, label_id),
        [
            _changed_artists(warehouse, label_id),
            _top_recordings(warehouse, label_id),
        ],
        [_audience(warehouse, dimension, label_id) for dimension in blocks.GROUPS] if label_id else [],
        [blocks.chart_positions(warehouse, track_ids), blocks.new_matches(warehouse, track_ids)],
        [*_ratio(warehouse, label_id), "Shares of groups are those of the label's ledger."] if label_id else [],
    )


def _own_page(warehouse: Warehouse) -> OnePage:
    """Return the page of the label that a file belongs to, from its ledger."""
    least = warehouse.query(internal_sql("least_listeners")).item()
    name = str(warehouse.query(internal_sql("label_of_file")).item())
    return OnePage(
        "Label",
        name,
        "",
        f"{name}, from its closed weeks",
        blocks.last_day(warehouse),
        _closed_cards(warehouse),
        week_curve(warehouse, "week"),
        [
            _artists(warehouse),
            _recordings(warehouse),
        ],
        [_audience(warehouse, dimension) for dimension in blocks.GROUPS],
        [blocks.chart_positions(warehouse, None), blocks.new_matches(warehouse, None)],
        [ledger_note(least), *_all_time(warehouse), *_shown(warehouse)],
    )


def _closed_cards(warehouse: Warehouse) -> list[Card]:
    """Return a card per measure of the last closed week, and of the last four; each measure has weeks of its own."""
    week, month = (by_measure(run_query(warehouse, "label_totals", {"days": days})) for days in ("7", "28"))
    listeners = run_query(warehouse, "label_trend", {}).drop_nulls("n_listeners").tail(1).to_dicts()
    for row in listeners:
        week["n_listeners"] = {
            "n_now": row["n_listeners"],
            "change": None,
            "first_date": row["from_day"],
            "last_date": row["to_day"],
        }
    measures = [name for name in MEASURES if name != "n_tracks"]
    return [total_card(MEASURES[name], week.get(name), month.get(name), TOO_FEW, "4 weeks") for name in measures]


def _all_cards(warehouse: Warehouse, label_id: str) -> list[Card]:
    """Return a card per measure of the last 7 days, and of the last 28."""
    params = {"label": label_id}
    week, month = (by_measure(run_query(warehouse, "what_changed", {"days": days, **params})) for days in ("7", "28"))
    measures = [name for name in MEASURES if name not in ("n_listeners", "hours_played")]
    return [total_card(MEASURES[name], week.get(name), month.get(name), "-", "28 days") for name in measures]


def by_measure(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of a query of totals by their measure."""
    return {row["measure"]: row for row in rows.iter_rows(named=True)}


def total_card(
    name: str, week: Mapping[str, Any] | None, month: Mapping[str, Any] | None, missing: str, longer: str
) -> Card:
    """Return the card of a measure; `missing` stands for a figure that there is not, or 'withheld' for a voided one."""
    if week is None:
        return Card(name, missing)
    value = "withheld" if week["n_now"] is None else format_number(week["n_now"])
    month_text = ""
    if month is not None and month["n_now"] is not None:
        month_text = f"{longer}: {format_number(month['n_now'])}"
    days = blocks.period(week["first_date"], week["last_date"])
    return Card(name, value, blocks.change_text(week["change"]), days, month_text)


def week_curve(warehouse: Warehouse, dimension: str, cell: str = "") -> Curve | None:
    """Return the curve of a label's closed weeks, of its total or of one artist; weeks without a figure are gaps."""
    weeks = run_query(warehouse, "label_trend", {"dimension": dimension, "cell": cell})
    return curve("Plays by week", WEEK_UNIT, weeks.select(day="to_day", value="plays_a_day"))


def _daily_curve(warehouse: Warehouse, label_id: str) -> Curve | None:
    days = run_query(warehouse, "plays_by_day", {"label": label_id})
    return curve("Plays per day", "the last eight weeks", days.select(day="listen_date", value="n_plays"))


def _artists(warehouse: Warehouse) -> Table:
    """Return the most played artists of the last four closed weeks, and the row of all others."""
    artists = run_query(warehouse, "label_parts", {"weeks": "4"})
    return parts_table("Artists, last four closed weeks", "Artist", artists)


def parts_table(title: str, heading: str, parts: pl.DataFrame) -> Table:
    """Return the largest parts of a total with their change; what is not listed is in the last row."""
    named = parts.drop_nulls("cell").head(N_ROWS - 1)
    rest = parts.join(named, on="cell", how="anti")["n_plays"]
    rows = [
        [row["name"], blocks.count_text(row["n_plays"]), blocks.change_text(row["change"]) or "-"]
        for row in named.iter_rows(named=True)
    ]
    if len(rest):
        rows.append([blocks.OTHERS, blocks.count_text(None if rest.null_count() else int(rest.sum())), ""])
    return Table(title, [heading, "Plays", "Change"], rows, "There are no closed weeks with figures.", days_of(parts))


def days_of(parts: pl.DataFrame) -> str:
    """Return the days that the parts of a total cover; '' without parts."""
    return blocks.period(parts["first_date"][0], parts["last_date"][0]) if parts.height else ""


def _recordings(warehouse: Warehouse) -> Table:
    """
    Return the most played recordings of the last four closed weeks.

    A recording has at most the plays of its artist, so artists with fewer plays than the last row have none to add.
    """
    found: list[tuple[int, str, list[str]]] = []
    artists = run_query(warehouse, "label_parts", {"weeks": "4"})
    for artist_id, artist, n_plays in _named(artists):
        if len(found) == N_ROWS and n_plays < -found[-1][0]:
            break
        params = {"dimension": "recording", "artist_id": artist_id, "weeks": "4"}
        recordings = _named(run_query(warehouse, "label_parts", params))
        found += [(-plays, track_id, [title, artist, f"{plays:,}"]) for track_id, title, plays in recordings]
        found = sorted(found)[:N_ROWS]
    nothing = "No recording had enough listeners in each of these weeks."
    rows = [row for _, _, row in found]
    headings = ["Recording", "Artist", "Plays"]
    return Table("Recordings, last four closed weeks", headings, rows, nothing, days_of(artists), texts=(1,))


def _named(parts: pl.DataFrame) -> list[tuple[str, str, int]]:
    """Return id, name and plays of the parts that stand alone and were not withheld."""
    return parts.select("cell", "name", "n_plays").drop_nulls().rows()


def _changed_artists(warehouse: Warehouse, label_id: str) -> Table:
    """Return the artists whose plays changed most in the last 7 days."""
    changes = run_query(warehouse, "artist_changes", {"label": label_id, "n": str(N_ROWS // 2)})
    rows = [
        [row["artist_name"], f"{row['n_now']:,}", f"{row['difference']:+,}", blocks.change_text(row["change"]) or "-"]
        for row in changes.iter_rows(named=True)
    ]
    headings = ["Artist", "Plays", "Difference", "Change"]
    return Table("Artists whose plays changed most", headings, rows, "No artist's plays can be compared.", "7 days")


def _top_recordings(warehouse: Warehouse, label_id: str) -> Table:
    """Return the most played recordings of the last 28 days."""
    top = warehouse.query(internal_sql("top_tracks_of_label"), {"label": label_id, "n": N_ROWS})
    rows = [
        [row["title"] or row["track_id"], row["artist_name"] or "-", f"{row['n_plays']:,}"]
        for row in top.iter_rows(named=True)
    ]
    return Table("Recordings", ["Recording", "Artist", "Plays"], rows, "Nothing was played.", "28 days", texts=(1,))


def _audience(warehouse: Warehouse, dimension: str, label_id: str = "") -> Shares:
    """Return how the plays of the last closed week divide."""
    groups = run_query(warehouse, "label_parts", {"label": label_id, "dimension": dimension, "weeks": "1"})
    note = "share of plays, last closed week"
    return blocks.shares(dimension, groups, "No group had enough listeners.", note)


def _all_time(warehouse: Warehouse) -> list[str]:
    """Return a sentence with the plays of all closed periods; none without them."""
    totals = by_measure(run_query(warehouse, "label_all_time", {})).get("n_plays")
    if totals is None or totals["value"] is None:
        return []
    return [f"All closed periods since {totals['first_date']:%-d %B %Y}: {totals['value']:,} plays."]


def _shown(warehouse: Warehouse) -> list[str]:
    """Return a sentence on how much recommendations showed the label in the last closed week with such figures."""
    return [
        f"Recommendation lists of {row['shown_on']:%-d %B} showed the label to {row['n_shown']:,} listeners, "
        f"with an exposure of {row['exposure']:,}."
        for row in run_query(warehouse, "label_shown", {}).tail(1).iter_rows(named=True)
    ]


def _ratio(warehouse: Warehouse, label_id: str) -> list[str]:
    """Return a sentence on the label's exposure in recommendations compared with its plays."""
    return [
        f"Recommendations give the label {row['exposure_share']:.1%} of exposure, {row['ratio']:.2f} times its share "
        f"of plays (95 % interval {row['low']:.2f} to {row['high']:.2f})."
        for row in run_query(warehouse, "own_exposure", {"label_id": label_id}).iter_rows(named=True)
    ]
