"""
The findings of a morning report: sections of sentences, each with its time series.

All findings come from saved queries (`sql/queries`) on a single warehouse file: the complete warehouse for the
operator, the label's own file for a label. So a label's report cannot reveal more than the label's file.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from recsys.reports.morning.settings import MorningSettings
from recsys.reports.wording import ISSUES, REFUSALS, format_duration
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query, run_query_if_stored

SIGNAL_DAYS = 7
MARKET_DAYS = 14  # of market moves: the last closed week, and the week that it is compared with [d]


@dataclass(frozen=True)
class Finding:
    """
    One finding.

    Attributes:
        text: One sentence with the numbers.
        name: Title of its plot.
        series: Its daily or weekly values (day, value); empty if there is nothing to plot.
        subject: What shows more: `track`, `artist`, `issue` or `chart`, and its id; ('', '') if that is nothing single.
    """

    text: str
    name: str = ""
    series: pl.DataFrame = field(default_factory=pl.DataFrame)
    subject: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Section:
    """The findings of one kind: key, title, findings, text to show if there are none, and unit of the plots."""

    key: str
    title: str
    findings: list[Finding]
    nothing: str
    unit: str = ""


def sections(warehouse: Warehouse, settings: MorningSettings, *, since: date, is_label: bool) -> list[Section]:
    """Query a warehouse file for the sections of its morning report; files count from the day of ingest `since` on."""
    of_files = [] if is_label else [*source_findings(warehouse, settings), *_of_files(warehouse, settings, since)]
    quality = _of_catalogue(warehouse, settings) + of_files
    breakouts = _label_breakouts(warehouse, settings) if is_label else _breakouts(warehouse, settings)
    drops = _label_drops(warehouse, settings) if is_label else _drops(warehouse, settings)
    found = [
        *_market(warehouse, settings, is_label=is_label),
        Section(
            "breakouts",
            "Breakouts",
            breakouts,
            "No recording had a breakout: none was played far more than in its weeks before.",
            "plays per day",
        ),
        *_signals(warehouse, settings),
        Section("uses", "New matches", _uses(warehouse, settings), "Matching found no new uses."),
        Section(
            "drops",
            "Unusual drops",
            drops,
            "No artist's last complete week was far below the weeks before.",
            "plays per day" if is_label else "plays per week",
        ),
        Section("quality", "Data quality", quality, "No issues in the data."),
    ]
    charts = Section(
        "charts", "Charts", _chart_moves(warehouse, settings), "No recording is on a chart of the last weeks."
    )
    if not is_label:
        return [*found, charts, *_playlist_moves(warehouse, settings)]
    totals = Section("totals", "Totals", _totals(warehouse), "No period has been closed yet.", "plays per day")
    nothing = "No artist or recording passed 1,000, 10,000 or more plays in the last closed week."
    return [totals, *found, charts, Section("milestones", "Milestones", _milestones(warehouse, settings), nothing)]


def _milestones(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    """Return the label's artists and recordings that passed a round number of plays in the last closed week."""
    return [
        Finding(
            f"{row['name']} passed {row['milestone']:,} plays in the week to {row['to_day']:%-d %B}: "
            f"{row['n_plays']:,} in closed weeks.",
            subject=("artist" if row["dimension"] == "artist" else "track", row["cell"]),
        )
        for row in run_query(warehouse, "label_milestones", {"n": str(settings.n)}).iter_rows(named=True)
    ]


def _chart_moves(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    """Return the catalogue's recordings on the newest edition of each chart, highest first."""
    own = run_query(warehouse, "own_chart_moves", {"n": str(settings.n)})
    return [
        Finding(
            f"“{row['title']}” by {row['artist']} is at number {row['rank']} of {row['chart']}, {_move(row)}.",
            subject=("chart", row["chart"]),
        )
        for row in own.iter_rows(named=True)
    ]


def _playlist_moves(warehouse: Warehouse, settings: MorningSettings) -> list[Section]:
    """Return a section of the recordings added to playlists that no listener owns, if there are any."""
    params = {"days": str(settings.days), "n": str(settings.n)}
    adds = [
        Finding(
            f"{_recording(row)} was added to the playlist “{row['playlist_title']}” on {row['added_on']:%-d %B}.",
            subject=("track", row["track_id"]),
        )
        for row in run_query(warehouse, "playlist_moves", params).iter_rows(named=True)
    ]
    return [Section("playlists", "Playlists", adds, "")] if adds else []


def _move(row: dict[str, Any]) -> str:
    if row["rank_before"] is None:
        return "new" if row["is_new"] else "back on it" if row["is_reentry"] else "in its first edition"
    if row["rank"] == row["rank_before"]:
        return "unchanged"
    return f"{'up' if row['rank'] < row['rank_before'] else 'down'} from {row['rank_before']}"


def _totals(warehouse: Warehouse) -> list[Finding]:
    """Return a label's plays of its last closed day and its last closed week."""
    periods = [run_query(warehouse, "label_totals", {"days": days}).filter(measure="n_plays") for days in ("1", "7")]
    series = [_trend(warehouse, dimension) for dimension in ("day", "week")]
    return [
        Finding(f"{_plays(row['n_now'])} {_from_to(row)}{_change(row)}.", f"All plays by {name}", values)
        for name, period, values in zip(("day", "week"), periods, series, strict=True)
        for row in period.drop_nulls("n_now").iter_rows(named=True)
    ]


def _from_to(row: dict[str, Any]) -> str:
    first, last = row["first_date"], row["last_date"]
    return f"on {last:%-d %B}" if first == last else f"from {first:%-d %B} to {last:%-d %B}"


def _change(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return ""
    per_day = " per day" if row["is_per_day"] else ""
    return f", {row['change']:+.1%}{per_day} compared with {_plays(row['n_before'])} before"


def _trend(warehouse: Warehouse, dimension: str, cell: str = "") -> pl.DataFrame:
    """Return a label's plays per day, by the last day of each closed period; null where the ledger has no figure."""
    periods = run_query(warehouse, "label_trend", {"dimension": dimension, "cell": cell})
    return periods.select(day="to_day", value="plays_a_day")


def _label_breakouts(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    return _outliers(warehouse, {"dimension": "recording", "z": str(settings.breakout_z), "n": str(settings.n)})


def _label_drops(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    params = {"z": str(-settings.drop_z), "floor": str(settings.drop_floor), "n": str(settings.n)}
    return _outliers(warehouse, {"dimension": "artist", "direction": "drop", **params})


def _outliers(warehouse: Warehouse, params: dict[str, str]) -> list[Finding]:
    """Return artists or recordings whose last closed week is far from their weeks before."""
    return [
        Finding(
            f"{_named(row)}: {row['n_plays']:,} plays from {row['from_day']:%-d %B} to {row['to_day']:%-d %B}, "
            f"{row['n_expected']:,.0f} expected (z {row['z']:.1f}).",
            row["name"],
            _trend(warehouse, params["dimension"], row["cell"]),
            ("artist" if params["dimension"] == "artist" else "track", row["cell"]),
        )
        for row in run_query(warehouse, "label_outliers", params).iter_rows(named=True)
    ]


def _named(row: dict[str, Any]) -> str:
    is_known_recording = row["cell"] != row["artist_id"] and row["artist_name"]
    return f"“{row['name']}” by {row['artist_name']}" if is_known_recording else str(row["name"])


def _breakouts(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    found = run_query(warehouse, "breaking_out", {"days": str(settings.days), "n": str(settings.n)})
    return [
        Finding(
            f"{_recording(row)}: {row['n_plays']:,} plays in the seven days to "
            f"{row['listen_date']:%-d %B}, {row['n_expected']:,.0f} expected (z {row['z']:.1f}), by "
            f"{row['n_listeners']:,} listeners in {row['n_countries']} countries; since {row['started_on']:%-d %B}.",
            row["title"] or row["track_id"],
            warehouse.query(internal_sql("days_of_track"), {"track_id": row["track_id"]}),
            ("track", row["track_id"]),
        )
        for row in found.filter(pl.col("z") >= settings.breakout_z).iter_rows(named=True)
    ]


def _market(warehouse: Warehouse, settings: MorningSettings, *, is_label: bool) -> list[Section]:
    """Return a section of the days and weeks on which the whole market moved unusually, if there are any."""
    query = "label_market_moves" if is_label else "moves_of_market"
    params = {"days": str(max(settings.days, MARKET_DAYS)), "n": str(settings.n)}
    moves = [Finding(_market_move(row)) for row in run_query_if_stored(warehouse, query, params).iter_rows(named=True)]
    return [Section("market", "The whole market", moves, "")] if moves else []


def _market_move(row: dict[str, Any]) -> str:
    """Explain a row of `moves_of_market` or `label_market_moves`, so that nobody takes it for their own success."""
    first, last = row["from_day"], row["to_day"]
    when, usual = f"on {last:%-d %B}", f"{row['n_weeks']} {last:%A}s before"
    if first != last:
        when, usual = f"in the week to {last:%-d %B}", f"{row['n_weeks']} weeks before"
    text = f"Plays of the whole market {_moved(row['change'])} {when}, compared with {usual}"
    if "own_change" not in row:
        return f"{text}, to {_plays(row['n_plays'])}."
    own = "" if row["own_change"] is None else f", which {_moved(row['own_change'])}"
    return f"{text}; it is counted without yours{own}."


def _moved(change: float) -> str:
    """Say how much something rose or fell, in whole per cent."""
    if round(change, 2) == 0:
        return "stayed level"
    return f"{'rose' if change > 0 else 'fell'} by {abs(change):.0%}"


def _signals(warehouse: Warehouse, settings: MorningSettings) -> list[Section]:
    """Return a section of rising counts of other channels, if there are any; counts may be delivered days later."""
    params = {"days": str(max(settings.days, SIGNAL_DAYS)), "n": str(settings.n)}
    found = [
        Finding(_rise(row)) for row in run_query_if_stored(warehouse, "rising_signals", params).iter_rows(named=True)
    ]
    return [Section("signals", "Counts of other channels that rose before plays", found, "")] if found else []


def _rise(row: dict[str, Any]) -> str:
    name = _recording(row) if row["track_id"] else row["artist_name"] or row["artist_id"]
    text = (
        f"{name}: {row['value_per_day']:,.0f} {row['metric']} per day ({row['source']}) in the seven days to "
        f"{row['day']:%-d %B}, {row['usual_per_day']:,.0f} before (z {row['z']:.1f})"
    )
    if row["n_plays"] is None:
        return f"{text}."
    return f"{text}; {_plays(row['n_plays'])}, {row['n_plays_before']:,} in the week before."


def _recording(row: dict[str, Any]) -> str:
    """Name a recording by title (or id, if the title is unknown) and by artist, if known."""
    title = f"“{row['title']}”" if row["title"] else f"Recording {row['track_id']}"
    return f"{title} by {row['artist_name']}" if row["artist_name"] else title


def _uses(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    params = {"days": str(settings.days), "probability": str(settings.use_probability), "n": str(settings.n)}
    return [
        Finding(
            f"{_recording(row)} is in {_source(row['source_kind'], row['source_title'])}, "
            f"{format_duration(row['starts_s'])} to {format_duration(row['ends_s'])} "
            f"({row['relation']}, match probability {row['probability']:.2f})."
        )
        for row in run_query(warehouse, "new_uses", params).iter_rows(named=True)
    ]


def _source(kind: str, title: str | None) -> str:
    if kind == "upload":
        return "an upload"
    return f"“{title}”" if title else "a recording of another label"


def _drops(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    params = {"z": str(settings.drop_z), "floor": str(settings.drop_floor), "n": str(settings.n)}
    return [
        Finding(
            f"{row['name'] or row['artist_id']}: {_plays(row['n_plays'])} in the week from "
            f"{row['week_start']:%-d %B}, {row['usual_plays']:,.0f} in the median week (z {row['z']:.1f}).",
            row["name"] or row["artist_id"],
            warehouse.query(internal_sql("weeks_of_artist"), {"artist_id": row["artist_id"]}),
            ("artist", row["artist_id"]),
        )
        for row in run_query(warehouse, "unusual_drops", params).iter_rows(named=True)
    ]


def _plays(n: float | None) -> str:
    return "no plays" if n is None else f"{n:,.0f} plays"


def _of_catalogue(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    """Return one finding per kind of catalogue issue, those that affect the most plays first."""
    issues = run_query(warehouse, "catalogue_issues", {}).group_by("issue").agg(pl.col("n_tracks", "n_plays").sum())
    worst = issues.sort("n_plays", "n_tracks", "issue", descending=[True, True, False]).head(settings.n)
    return [
        Finding(
            f"{ISSUES.get(issue, issue)}: {_counted(n_tracks, 'recording')}{_affected(n_plays)}.",
            subject=("issue", issue),
        )
        for issue, n_tracks, n_plays in worst.iter_rows()
    ]


def _affected(n_plays: int | None) -> str:
    return f", {n_plays:,} plays" if n_plays else ""


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


def source_findings(warehouse: Warehouse, settings: MorningSettings) -> list[Finding]:
    """Return a finding per source that is late or delivered unusual amounts, and per file whose columns drifted."""
    alerts = run_query(warehouse, "source_alerts", {}).head(settings.n)
    drifted = run_query(warehouse, "drifted_columns", {"days": str(settings.days)}).head(settings.n)
    return [
        *(Finding(_alert(row)) for row in alerts.iter_rows(named=True)),
        *(
            Finding(
                f"{row['source_file']} of {row['ingested_on']:%-d %B}: {row['share']:.0%} of {row['n_rows']:,} listens "
                f"lack {row['column_name']}, {row['expected_share']:.0%} in the files before."
            )
            for row in drifted.iter_rows(named=True)
        ),
    ]


def _alert(row: dict[str, Any]) -> str:
    source, day = f"{row['source']} ({row['source_table']})", f"{row['ingested_on']:%-d %B}"
    if row["problem"] == "due":
        return f"{source}: no file since {day}; its longest gap was {_counted(row['due_in_days'], 'day')}."
    usual = f"{max(0, row['n_low']):,.0f} to {row['n_high']:,.0f} were expected"
    return f"{source}: {_counted(row['n_read'], 'row')} on {day}; {usual}."


def _of_files(warehouse: Warehouse, settings: MorningSettings, since: date) -> list[Finding]:
    """Return one finding per file that is unreadable or has refused rows: their number and the reasons."""
    refused = warehouse.query(internal_sql("refused_files"), {"since": since})
    reasons_of = refused.group_by("source_table", "source_file", maintain_order=True).agg(
        pl.col("n_rows").sum(), pl.col("outcome").replace(REFUSALS).str.join(", ")
    )
    is_readable = pl.col("source_table") != "unknown"
    worst = reasons_of.sort(is_readable, "n_rows", "source_file", descending=[False, True, False]).head(settings.n)
    return [
        Finding(
            f"{file} could not be read: nothing of it was ingested."
            if table == "unknown"
            else f"{file}: {n_rows:,} rows of {table} were refused ({reasons})."
        )
        for table, file, n_rows, reasons in worst.iter_rows()
    ]
