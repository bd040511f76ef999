"""
The state of the home that the page Operations shows: step times, disk, queue and the last faults. Operators only.

Queries of `recsys.pipeline.operations`; hashes of waiting files are cached until a file of their folder changes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboards import data, sentences
from dashboards.access import current_home
from dashboards.markdown import Markdown, fill
from recsys.home import Home
from recsys.ingest.quarantine import WHOLE_FILE, count_refused
from recsys.lake.store import Lake
from recsys.pipeline import operations
from recsys.reports.wording import format_duration

MEGABYTE, GIGABYTE = 10**6, 10**9
DISK_LIFE_S = 60  # the home is not measured again within this time [s]
INBOX, UPLOADS = "inbox: files to ingest", "uploads: files to search for recordings"
N_TREND = 5  # steps whose trend is drawn
WAITING_SCHEMA = pl.Schema(
    {
        "place": pl.String(),
        "n_waiting": pl.Int64(),
        "size_mb": pl.Float64(),
        "oldest": pl.Date(),
        "next_step": pl.String(),
    }
)


def step_times() -> pl.DataFrame:
    """Return the time of each step of each run (see `operations.step_times`), with its share of the run."""
    data.require_operator()
    rows = operations.step_times(current_home())
    return rows.with_columns(share=pl.col("seconds") / pl.col("seconds").sum().over("run"))


def trend_of(times: pl.DataFrame) -> pl.DataFrame:
    """
    Return the time of the steps that take longest now, over the days of the finished runs.

    Args:
        times: Times of steps; of several runs for one day, the last one in order of names counts.

    Returns:
        as_of, step, seconds: the N_TREND steps that took longest in the newest finished run, by name of step.
    """
    finished = times.filter((pl.col("step") == "publish").any().over("run"))
    last_runs = finished.filter(pl.col("run") == pl.col("run").max().over("as_of"))
    newest = last_runs.filter(pl.col("as_of") == pl.col("as_of").max()).sort(
        "seconds", "step", descending=[True, False]
    )
    slowest = newest["step"].head(N_TREND).implode()
    return last_runs.filter(pl.col("step").is_in(slowest)).select("as_of", "step", "seconds").sort("step", "as_of")


@st.cache_data(max_entries=2, ttl=DISK_LIFE_S, show_spinner="Measuring the home")
def _disk_use(path: Path) -> pl.DataFrame:
    return operations.disk_use(Home(path))


def disk_use() -> pl.DataFrame:
    """Return the size of each part of the home (see `operations.disk_use`) at most DISK_LIFE_S ago, with size_mb."""
    data.require_operator()
    return _disk_use(current_home().path).with_columns(size_mb=pl.col("n_bytes") / MEGABYTE)


def disk_history() -> pl.DataFrame:
    """Return the size of each part of the home after each day's last run: as_of, part, size_gb, by part."""
    data.require_operator()
    rows = operations.disk_history(current_home())
    last = rows.filter(pl.col("run") == pl.col("run").max().over("as_of"))
    return last.select("as_of", "part", size_gb=pl.col("n_bytes") / GIGABYTE).sort("part", "as_of")


def largest_parts(history: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the N_TREND parts of the home that are largest now, and of all parts together."""
    total = history.group_by("as_of", maintain_order=True).agg(pl.col("size_gb").sum()).sort("as_of")
    newest = history.filter(pl.col("as_of") == pl.col("as_of").max()).sort("size_gb", descending=True)
    largest = history.filter(pl.col("part").is_in(newest["part"].head(N_TREND).implode()))
    return pl.concat([total.select("as_of", pl.lit("all").alias("part"), "size_gb"), largest])


def free_bytes() -> int:
    """Return the free space on the home's file system [bytes]."""
    data.require_operator()
    return operations.free_bytes(current_home())


@st.cache_data(max_entries=4, show_spinner="Reading the waiting files")
def _waiting(folder: Path, state: list[object], _list: Callable[[], list[Path]]) -> list[Path]:  # noqa: ARG001 - cache key
    return _list()


def _state(folder: Path, known: object) -> list[object]:
    """Return what decides which files of a folder wait: their names, sizes and times of change, and what is known."""
    stats = [(path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [*((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats), known]


def queue() -> pl.DataFrame:
    """
    Return what waits for the next run or for an operator, without places where nothing waits.

    Returns:
        place, n_waiting (files, or rows of the quarantine), size_mb and oldest (of files), next_step.
    """
    data.require_operator()
    home, searched = current_home(), data.searched_uploads()
    inbox, uploads = _state(home.inbox, Lake(home).fingerprint()), _state(home.uploads, sorted(searched))
    rows = [
        *_files_row(INBOX, _waiting(home.inbox, inbox, lambda: operations.waiting_in_inbox(home))),
        *_files_row(UPLOADS, _waiting(home.uploads, uploads, lambda: operations.waiting_uploads(home, searched))),
    ]
    for table, n_rows in operations.quarantined(home).iter_rows():
        place = f"quarantine: {'unreadable files' if table == WHOLE_FILE else f'rows of {table}'}"
        rows.append(
            {"place": place, "n_waiting": n_rows, "next_step": "See why they were refused: recsys quarantine list"}
        )
    return pl.DataFrame(rows, WAITING_SCHEMA)


def _files_row(place: str, paths: list[Path]) -> list[dict[str, object]]:
    if not paths:
        return []
    size, first = sum(path.stat().st_size for path in paths if path.exists()), operations.oldest(paths)
    row = {"place": place, "n_waiting": len(paths), "next_step": "Nothing: the next nightly run reads them"}
    return [row | {"size_mb": size / MEGABYTE, "oldest": first and first.date()}]


@st.cache_data(max_entries=2, show_spinner="Reading the quarantine")
def _refusals(folder: Path, state: object) -> pl.DataFrame:  # noqa: ARG001 - cache key
    keys = ("source_table", "reason", "column_name")
    counts = count_refused(Lake(Home(folder))).group_by(keys).agg(pl.col("n_rows").sum())
    return counts.sort("n_rows", *keys, descending=[True, False, False, False], nulls_last=True)


def refusals() -> pl.DataFrame:
    """Return why rows of the quarantine were refused, most rows first: source_table, reason, column_name, n_rows."""
    data.require_operator()
    home = current_home()
    return sentences.with_refusal_names(_refusals(home.path, Lake(home).fingerprint()), "reason")


def failures(run: str) -> pl.DataFrame:
    """Return the checks of the gate that a run did not pass: measure, found, expected, remedy."""
    data.require_operator()
    return operations.failures(current_home(), run)


def preference(run: str) -> list[Markdown]:
    """Say which of two recommenders listeners preferred in interleaved lists, if any were made before a run."""
    data.require_operator()
    found = operations.preference(current_home(), run)
    if not found:
        return []
    winner, both = found["winner"], [found["recommender"], found["challenger"]]
    text = "In interleaved lists listeners preferred **{first}** to **{second}**"
    if not winner:
        text = "In interleaved lists listeners preferred neither **{first}** nor **{second}**"
    first, second = both if winner in ("", both[0]) else both[::-1]
    return [
        fill(
            text + ": {mean} plays per listener of {recommender} minus {challenger} (95 % interval {low} to {high}, "
            "{n} listeners).",
            first=first,
            second=second,
            mean=f"{found['mean']:+.2f}",
            recommender=both[0],
            challenger=both[1],
            low=f"{found['low']:+.2f}",
            high=f"{found['high']:+.2f}",
            n=f"{found['n_users']:,}",
        )
    ]


def length_of(run: str) -> list[Markdown]:
    """Say when a run ended, how long it took, and by how much that is more or less than published runs before."""
    data.require_operator()
    times = operations.run_times(current_home())
    own = times.filter(run=run)
    if own.is_empty():
        return []
    ended_at, took_s = own["ended_at"][0], own["took_s"][0]
    text = "Its last step ended on {when} UTC; it took {took}"
    earlier = times.filter(pl.col("is_published"), pl.col("ended_at") < ended_at)["took_s"]
    usual_s = earlier.median()
    if not isinstance(usual_s, float):
        return [fill(text + ".", when=f"{ended_at:%Y-%m-%d at %H:%M}", took=format_duration(took_s))]
    lateness = "{difference} longer" if took_s >= usual_s else "{difference} less"
    return [
        fill(
            f"{text}, {lateness} than usual (median of {{n}} published runs before: {{usual}}).",
            when=f"{ended_at:%Y-%m-%d at %H:%M}",
            took=format_duration(took_s),
            difference=format_duration(abs(took_s - usual_s)),
            n=f"{len(earlier):,}",
            usual=format_duration(usual_s),
        )
    ]


def last_run(run: dict[str, Any]) -> list[Markdown]:
    """Describe how a row of `data.runs` ended; of a run that stopped also what to do next."""
    endings = {"published": "was **published**", "refused": "was **refused by the gate**"}
    if run["verdict"] in endings:
        return [fill("The last run, **{name}**, {ending}.", name=run["run"], ending=Markdown(endings[run["verdict"]]))]
    step = run["stopped_in"] or "between two steps"
    if run["error"] is None and operations.is_running(current_home()):
        return [fill("The run **{name}** is in progress: {step}.", name=run["run"], step=step)]
    when = f"at {run['stopped_at'][:16].replace('T', ' ')} UTC" if run["stopped_at"] else ""
    error = run["error"] or "it was killed, or the machine stopped. Check memory and disk space"
    text = "The last run, **{name}**, **stopped in {step}** {when}: {error}."
    next_step = f"recsys nightly --resume --date {run['run'][:10]}"
    return [
        fill(text, name=run["run"], step=step, when=when, error=error),
        fill("The release before it is still current. Once the cause is mended, continue: {next}", next=next_step),
    ]
