"""
The summary of a finished run: a line per area, lists of three listeners, paths of the files, and commands to try next.

It is computed from the run's log and the published warehouse; `recsys/cli/show` prints it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsys.pipeline.run import Event, Run
from recsys.reports.morning.write import folder_of
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

N_SHOWN = 3  # tracks that are shown per list


@dataclass(frozen=True)
class Area:
    """
    An area of a run, such as models or lists.

    Attributes:
        name: Name of the area.
        summary: What the run did in this area.
        seconds: Time of its steps; None if another area's time includes it [s].
    """

    name: str
    summary: str
    seconds: float | None


def areas(done: Mapping[str, Event], tables: pl.DataFrame, k: int) -> list[Area]:
    """
    Summarise a run, one line per area.

    Args:
        done: The last `done` event of each step, as `history.steps_done` reads them from the run's log.
        tables: The published tables: table, rows.
        k: Length of a listener's list.

    Returns:
        The areas whose steps are all complete, in the order of the steps.
    """
    lines: list[tuple[str, tuple[str, ...], Callable[..., str]]] = [
        ("Files", ("ingest",), _files),
        ("Music", ("scan",), _music),
        ("Retention", ("retention",), _expired),
        ("Warehouse", ("build",), lambda _built: f"{tables.height} tables, {tables['rows'].sum():,} rows"),
        ("Models", ("train", "refit"), _models),
        ("Evaluation", ("evaluate",), lambda evaluated: f"on {evaluated['n_judged']:,} listeners"),
        ("Groups", ("group",), _groups),
        ("Forecasts", ("forecast", "chart"), _forecasts),
        ("Lists", ("recommend",), lambda lists: _lists(lists, k)),
        ("Products", ("recommend",), _products),
        ("Matching", ("match",), _matching),
        ("Tunes", ("compare_tunes",), _tunes),
        ("Tags", ("tag_new_recordings",), lambda tagged: f"{_counted(tagged['n_recordings'], 'new recording')} tagged"),
        ("Cleaning", ("clean",), _cleaning),
        ("Lyrics", ("find_topics", "compare_lyrics"), _lyrics),
        ("Labels", ("close_periods",), lambda closed: f"{_counted(closed['n_lines'], 'figure')} of closed periods"),
        ("Release", ("gate", "export", "publish"), _release),
        ("Reports", ("morning",), lambda reports: _counted(reports["n_reports"], "morning report")),
    ]
    found = []
    for name, steps, summarise in lines:
        if all(step in done for step in steps):
            seconds = None if name == "Products" else sum(done[step]["seconds"] for step in steps)
            found.append(Area(name, summarise(*(done[step] for step in steps)), seconds))
    return found


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _nonzero(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n:,} {what}" for what, n in counts.items() if n)


def _files(ingested: Event) -> str:
    if not ingested["n_files"] and not ingested["n_unreadable"]:
        return "nothing new"
    counts = {"refused": ingested["n_quarantined"], "duplicate": ingested["n_duplicate"]}
    taken = f"{_counted(ingested['n_files'], 'file')}: {ingested['n_accepted']:,} rows accepted"
    more = [_nonzero(counts), _counted(ingested["n_unreadable"], "unreadable file") if ingested["n_unreadable"] else ""]
    see = ". See recsys quarantine list" if any(more) else ""
    return ", ".join(filter(None, [taken, *more])) + see


def _music(scanned: Event) -> str:
    counts = {"analysed": scanned["n_analysed"], "known": scanned["n_known"], "copied": scanned["n_copied"]}
    counts["to analyse again in later runs"] = scanned.get("n_deferred", 0)
    faults = {"damaged": scanned["n_damaged"], "unreadable": scanned["n_failed"]}
    return f"{_counted(scanned['n_files'], 'file')}: {_nonzero(counts | faults)}"


def _expired(removed: Event) -> str:
    kept = ", ".join(f"{table} from {day}" for table, day in removed["kept_from"].items())
    return f"{removed['n_expired']:,} rows removed; kept: {kept}"


def _models(trained: Event, refitted: Event) -> str:
    names, last = ", ".join(trained["recommenders"]), f"{refitted['recommender']} on all {refitted['n_pairs']:,}"
    pairs = "pairs of listener and track"
    return (
        f"{names} trained on {trained['n_pairs']:,} {pairs}, then {last}" if names else f"{last} {pairs}, not evaluated"
    )


def _groups(grouped: Event) -> str:
    kinds = {name.removeprefix("n_of_"): n for name, n in grouped.items() if name.startswith("n_of_")}
    return ", ".join(f"{n:,} of {kind}" for kind, n in kinds.items()) or "none"


def _forecasts(forecast: Event, chart: Event) -> str:
    artists = f"28 days for {_counted(forecast['n_artists'], 'artist')}"
    songs = f"{_counted(chart['n_songs'], 'song')} likely to rise in {_counted(chart['n_charts'], 'chart')}"
    return f"{artists}; {songs}" if chart["n_songs"] else artists


def _lists(listed: Event, k: int) -> str:
    text = f"{_counted(listed['n_listeners'], 'listener')}, {k} tracks each"
    if listed["n_short_lists"]:
        text += f" ({listed['n_short_lists']:,} get fewer)"
    if listed.get("n_without_list"):
        text += f", {listed['n_without_list']:,} without a list"
    return f"{text}; {_counted(listed['n_fallback'], 'listener')} by popularity only" if listed["n_fallback"] else text


def _products(listed: Event) -> str:
    return f"{_counted(len(listed['products']), 'kind')} of lists, {sum(listed['products'].values()):,} rows"


def _matching(matched: Event) -> str:
    looked = f"{_counted(matched['n_recordings'], 'recording')} and {_counted(matched['n_uploads'], 'upload')}"
    return f"{looked} searched, {_counted(matched['n_found'], 'use')} found"


def _tunes(compared: Event) -> str:
    searched = _counted(compared["n_searched"], "tune")
    return f"{searched} searched, {_counted(compared['n_resembling'], 'similar pair')} found"


def _cleaning(cleaned: Event) -> str:
    links = f"{_counted(cleaned['n_links'], 'duplicate')} linked"
    waiting = _counted(cleaned["n_to_review"], "finding")
    return f"{links}, {waiting} to review: recsys review list" if cleaned["n_to_review"] else links


def _lyrics(found: Event, compared: Event) -> str:
    n_pairs = sum(compared[f"n_{kind}"] for kind in ("same_text", "near_text", "translation"))
    return f"{_counted(found['n_topics'], 'topic')}, {_counted(n_pairs, 'pair')} of equal or similar texts"


def _release(gate: Event, exported: Event, _published: Event) -> str:
    verdict = "passed the gate" if gate["passed"] else "refused by the gate"
    said = filter(None, (verdict, gate.get("preference"), f"{_counted(exported['n_files'], 'file')} exported"))
    return "; ".join(said)


@dataclass(frozen=True)
class Sample:
    """
    The beginning of a listener's list.

    Attributes:
        user_id: The listener.
        description: A summary of the listener's history.
        tracks: The first tracks of the list: rank, track_id, title, artist_name, reason.
    """

    user_id: str
    description: str
    tracks: pl.DataFrame


def samples(warehouse: Warehouse) -> list[Sample]:
    """Return the lists of up to three listeners: one with the longest history, one with the shortest, one with none."""
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
    """Return the paths of the run's main files, by name."""
    report = (
        {"Report": folder_of(run.home, run.as_of) / "index.html"}
        if (run.outcome("morning") or {}).get("n_reports")
        else {}
    )
    return {"Warehouse": run.home.warehouse, "Export": run.export, **report, "Log": run.folder / "log.jsonl"}


def next_commands(warehouse: Warehouse, sampled: list[Sample]) -> list[list[str]]:
    """Return commands to try on this release, each as a list of words without the program's name and --home."""
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
    """Return the words of a command, with `--` if an argument starts with a dash and would be parsed as an option."""
    return [name, *(["--"] if any(word.startswith("-") for word in words) else []), *words]
