"""
What a finished run made, for a person: a line per area, three listeners' lists, where files lie, what to try next.

It is read from the run's log and the published warehouse, and computes nothing anew; `recsys/cli/show` prints it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.pipeline.run import Event, Run
from recsys.reports.morning.write import folder_of
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

N_SHOWN = 3  # tracks of each sampled list


@dataclass(frozen=True)
class Area:
    """A part of a run: its name, what was made, and its time [s], None where another area's time includes it."""

    name: str
    made: str
    seconds: float | None


def areas(done: Mapping[str, Event], tables: pl.DataFrame, k: int) -> list[Area]:
    """
    Say in a line per area what a run made.

    Args:
        done: The last `done` event of each step, as `history.steps_done` reads them from the run's log.
        tables: The published tables: table, rows.
        k: Length of a listener's list.

    Returns:
        The areas of which every step is done, in the order in which they are made.
    """
    lines: list[tuple[str, tuple[str, ...], Callable[..., str]]] = [
        ("Files", ("ingest",), _files),
        ("Music", ("scan",), _music),
        ("Warehouse", ("build",), lambda _built: f"{tables.height} tables, {tables['rows'].sum():,} rows"),
        ("Models", ("train", "refit"), _models),
        ("Evaluation", ("evaluate",), lambda judged: f"judged on {judged['n_judged']:,} listeners"),
        ("Groups", ("group",), _groups),
        ("Forecasts", ("forecast", "chart"), _forecasts),
        ("Lists", ("recommend",), lambda lists: _lists(lists, k)),
        ("Products", ("recommend",), _products),
        ("Matching", ("match",), _matching),
        ("Release", ("gate", "export", "publish"), _release),
        ("Reports", ("morning",), lambda reports: _counted(reports["n_reports"], "morning report")),
    ]
    found = []
    for name, steps, made in lines:
        if all(step in done for step in steps):
            seconds = None if name == "Products" else sum(done[step]["seconds"] for step in steps)
            found.append(Area(name, made(*(done[step] for step in steps)), seconds))
    return found


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _nonzero(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)


def _files(read: Event) -> str:
    if not read["n_files"] and not read["n_unreadable"]:
        return "nothing new"
    counts = {"refused": read["n_quarantined"], "repeated": read["n_duplicate"]}
    taken = f"{_counted(read['n_files'], 'file')}: {read['n_accepted']:,} rows taken"
    more = [_nonzero(counts), _counted(read["n_unreadable"], "unreadable file") if read["n_unreadable"] else ""]
    see = ". See marts.data_quality" if any(more) else ""
    return ", ".join(filter(None, [taken, *more])) + see


def _music(heard: Event) -> str:
    counts = {"analysed": heard["n_analysed"], "known": heard["n_known"], "copied": heard["n_copied"]}
    faults = {"damaged": heard["n_damaged"], "unreadable": heard["n_failed"]}
    return f"{_counted(heard['n_files'], 'file')}: {_nonzero(counts | faults)}"


def _models(trained: Event, refitted: Event) -> str:
    names = ", ".join(trained["recommenders"])
    pairs = f"{trained['n_pairs']:,} pairs of listener and track"
    return f"{names} trained on {pairs}, then {refitted['recommender']} on all {refitted['n_pairs']:,}"


def _groups(grouped: Event) -> str:
    kinds = {name.removeprefix("n_of_"): n for name, n in grouped.items() if name.startswith("n_of_")}
    return ", ".join(f"{n:,} of {kind}" for kind, n in kinds.items()) or "none"


def _forecasts(forecast: Event, chart: Event) -> str:
    artists = f"28 days of {_counted(forecast['n_artists'], 'artist')}"
    songs = f"{_counted(chart['n_songs'], 'song')} that may rise in {_counted(chart['n_charts'], 'chart')}"
    return f"{artists}; {songs}" if chart["n_songs"] else artists


def _lists(made: Event, k: int) -> str:
    text = f"{_counted(made['n_listeners'], 'listener')}, {k} tracks each"
    if made["n_short_lists"]:
        text += f", {made['n_short_lists']:,} of them fewer"
    return f"{text}; {made['n_fallback']:,} by popularity alone" if made["n_fallback"] else text


def _products(made: Event) -> str:
    return f"{_counted(len(made['products']), 'kind')} of lists, {sum(made['products'].values()):,} rows"


def _matching(matched: Event) -> str:
    looked = f"{_counted(matched['n_recordings'], 'recording')} and {_counted(matched['n_uploads'], 'upload')}"
    return f"{looked} searched, {_counted(matched['n_found'], 'use')} found"


def _release(gate: Event, exported: Event, _published: Event) -> str:
    verdict = "passed the gate" if gate["passed"] else "refused by the gate"
    return f"{verdict}; {_counted(exported['n_files'], 'file')} exported"


@dataclass(frozen=True)
class Sample:
    """A listener's list in part: who they are, and its first tracks (rank, track_id, title, artist_name, reason)."""

    user_id: str
    about: str
    tracks: pl.DataFrame


def samples(warehouse: Warehouse) -> list[Sample]:
    """Return the lists of up to three listeners: with the longest history, with the shortest, and without plays."""
    chosen = warehouse.query(internal_sql("sampled_listeners")).unique("user_id", keep="first", maintain_order=True)
    lists = warehouse.query(
        internal_sql("heads_of_lists"), {"listeners": chosen["user_id"].to_list(), "n_shown": N_SHOWN}
    )
    return [
        Sample(row["user_id"], _history(row), lists.filter(user_id=row["user_id"]).drop("user_id"))
        for row in chosen.iter_rows(named=True)
    ]


def _history(row: Mapping[str, object]) -> str:
    n_tracks, n_plays = int(str(row["n_tracks"])), int(str(row["n_plays"]))
    if not n_tracks:
        return str(row["history"])
    genre = f", mostly {row['genre']}" if row["genre"] else ""
    return f"{row['history']}, {_counted(n_plays, 'play')} of {_counted(n_tracks, 'track')}{genre}"


def locations(run: Run) -> dict[str, Path]:
    """Name the files that a reader opens next."""
    report = (
        {"Report": folder_of(run.home, run.as_of) / "index.html"}
        if (run.outcome("morning") or {}).get("n_reports")
        else {}
    )
    return {"Warehouse": run.home.warehouse, "Export": run.export, **report, "Log": run.folder / "log.jsonl"}


def next_commands(warehouse: Warehouse, sampled: list[Sample]) -> list[list[str]]:
    """List commands worth trying on this release, as words after the program and its home."""
    lists = [(sample.user_id, *row) for sample in sampled for row in sample.tracks["track_id", "artist_name"].rows()]
    artists = [artist for _, _, artist in lists if artist]
    heard = warehouse.query(internal_sql("tracks_with_sound"))["track_id"].head(1).to_list()
    return [
        *([_command("find", artists[0])] if artists else []),
        ["query", "top_tracks"],
        *([_command("explain", *lists[0][:2])] if lists else []),
        *([_command("similar", heard[0])] if heard else []),
        ["describe", "interactions_daily"],
        ["query", "refused_rows"],
        ["dashboard"],
    ]


def _command(name: str, *words: str) -> list[str]:
    """Keep names and ids that begin with a dash from being read as options."""
    return [name, *(["--"] if any(word.startswith("-") for word in words) else []), *words]
