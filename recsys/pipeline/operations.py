"""
The state of a home for its operators: times of steps, disk space, waiting files and rows, and the last faults.

Everything is read from files of the home, so it can be asked while a run is in progress.
"""

import os
import shutil
from collections.abc import Container, Iterable
from datetime import UTC, date, datetime
from fcntl import LOCK_NB, LOCK_SH, flock
from pathlib import Path
from typing import Any

import polars as pl

from recsys import files
from recsys.home import Home
from recsys.ingest.deliveries import waiting_files
from recsys.ingest.quarantine import with_refused_rows
from recsys.ingest.run import source_files
from recsys.lake.store import Lake
from recsys.library.files import audio_files, can_be_opened, possible_audio
from recsys.pipeline.history import events_of, steps_done
from recsys.pipeline.run import Event
from recsys.releases import registry

STEP_TIMES_SCHEMA = pl.Schema(
    {"run": pl.String(), "as_of": pl.Date(), "step_no": pl.Int64(), "step": pl.String(), "seconds": pl.Float64()}
)
RUN_TIMES_SCHEMA = pl.Schema(
    {
        "run": pl.String(),
        "as_of": pl.Date(),
        "ended_at": pl.Datetime("us", "UTC"),
        "took_s": pl.Float64(),
        "is_published": pl.Boolean(),
    }
)
DISK_HISTORY_SCHEMA = pl.Schema({"run": pl.String(), "as_of": pl.Date(), "part": pl.String(), "n_bytes": pl.Int64()})
DISK_SCHEMA = pl.Schema({"part": pl.String(), "n_files": pl.Int64(), "n_bytes": pl.Int64()})
FAILURES_SCHEMA = pl.Schema(dict.fromkeys(("measure", "found", "expected", "remedy"), pl.String()))
PARTS = ("lake", "warehouse", "marts", "models", "exports", "indexes", "runs", "inbox", "uploads", "reports")
OTHER = "other files"
LABELS = "label files"  # they lie in the folder of the warehouses
_REMEDY = "It concerns an old run only: restore the file from a backup, or remove it"


def step_times(home: Home) -> pl.DataFrame:
    """
    Return how long each step of each run took.

    Returns:
        One row per run and complete step, oldest run first, steps in the order in which they ended: run, as_of (last
        day of its data), step_no (from 1), step, seconds (of its last completion [s]).
    """
    rows = [
        {"run": folder.name, "as_of": _date_of(folder.name), "step_no": no, "step": step}
        | {"seconds": float(done["seconds"])}
        for folder in _run_folders(home)
        for no, (step, done) in enumerate(steps_done(folder).items(), 1)
    ]
    return pl.DataFrame(rows, STEP_TIMES_SCHEMA)


def run_times(home: Home) -> pl.DataFrame:
    """
    Return when each run ended and how long it took, with pauses between its steps.

    Returns:
        One row per run with a complete step, oldest run first: run, as_of (last day of its data), ended_at (of its last
        complete step), took_s (from its first event until then [s]), is_published.
    """
    return pl.DataFrame([row for folder in _run_folders(home) for row in _time_of_run(folder)], RUN_TIMES_SCHEMA)


def _time_of_run(folder: Path) -> Iterable[dict[str, object]]:
    events = [(event["event"], time) for event in events_of(folder) if (time := _time_of(event))]
    ends = [time for kind, time in events if kind == "done"]
    if ends:
        took_s, is_published = (ends[-1] - events[0][1]).total_seconds(), (folder / registry.PUBLISHED).exists()
        row = {"run": folder.name, "as_of": _date_of(folder.name), "ended_at": ends[-1]}
        yield row | {"took_s": took_s, "is_published": is_published}


def _time_of(event: Event) -> datetime | None:
    """Return the time of an event; None if it has none, as in a damaged log."""
    try:
        return datetime.fromisoformat(event["at"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None


def disk_history(home: Home) -> pl.DataFrame:
    """
    Return the size of each part of the home (see `disk_use`) as finished nights have measured it.

    Returns:
        One row per run and part, oldest run first: run, as_of (last day of its data), part, n_bytes (at its end).
    """
    rows = [
        {"run": folder.name, "as_of": _date_of(folder.name), "part": part, "n_bytes": n_bytes}
        for folder in _run_folders(home)
        for measured in [event["parts"] for event in events_of(folder) if event["event"] == "disk"][-1:]
        for part, n_bytes in measured.items()
    ]
    return pl.DataFrame(rows, DISK_HISTORY_SCHEMA)


def _run_folders(home: Home) -> list[Path]:
    return [folder for folder in sorted(home.runs.glob("*")) if _date_of(folder.name)]


def _date_of(run_id: str) -> date | None:
    """Return the date at the beginning of a run id; None if the folder is not that of a run."""
    try:
        return date.fromisoformat(run_id[:10])
    except ValueError:
        return None


def failures(home: Home, run_id: str) -> pl.DataFrame:
    """
    Return the checks of the gate that a run did not pass (see `gate.Failure`): measure, found, expected, remedy.

    A verdict of an older version has the reason only, as `found`; the other columns are null.

    Raises:
        SetupError: The file of the verdict is damaged.
    """
    verdict = _verdict(home, run_id)
    with files.reading(_verdict_file(home, run_id), _REMEDY):
        found = verdict.get("failures", [{"found": reason} for reason in verdict["reasons"]])
        return pl.DataFrame([dict.fromkeys(FAILURES_SCHEMA) | failure for failure in found], FAILURES_SCHEMA)


def preference(home: Home, run_id: str) -> dict[str, Any]:
    """
    Return which recommender listeners preferred in interleaved lists (see `gate.Verdict`); {} without such lists.

    Raises:
        SetupError: The file of the verdict is damaged.
    """
    found: dict[str, Any] = _verdict(home, run_id).get("interleaving", {})
    return found


def _verdict(home: Home, run_id: str) -> dict[str, Any]:
    """Read the verdict of the gate on a run; of a run without one, a verdict without failures."""
    path = _verdict_file(home, run_id)
    if not path.exists():
        return {"reasons": []}
    with files.reading(path, _REMEDY):
        verdict: dict[str, Any] = files.read_json(path)
        if "reasons" not in verdict:
            raise ValueError("a verdict without reasons")
        return verdict


def _verdict_file(home: Home, run_id: str) -> Path:
    return home.runs / run_id / "verdict.json"


def is_running(home: Home) -> bool:
    """Return whether a process holds the lock of the home."""
    lock = home.path / ".lock"
    if not lock.exists():
        return False
    with lock.open() as stream:
        try:
            flock(stream, LOCK_SH | LOCK_NB)
        except BlockingIOError:
            return True
    return False


def disk_use(home: Home) -> pl.DataFrame:
    """
    Return the size of each part of the home.

    Returns:
        One row per part that has files, largest first: part (a folder of the home, `label files`, or `other files`),
        n_files, n_bytes. Links are not followed.
    """
    sizes = dict.fromkeys((*PARTS, LABELS, OTHER), (0, 0))
    for name, n_bytes in _sizes(home.path, ()):
        n_files, n_so_far = sizes[part := _part(name)]
        sizes[part] = (n_files + 1, n_so_far + n_bytes)
    rows = [{"part": part, "n_files": n, "n_bytes": n_bytes} for part, (n, n_bytes) in sizes.items() if n]
    return pl.DataFrame(rows, DISK_SCHEMA).sort("n_bytes", descending=True, maintain_order=True)


def _part(names: tuple[str, ...]) -> str:
    """Return the part of the home to which a file belongs, by the first folders of its path."""
    if names[:2] == ("warehouse", "labels"):
        return LABELS
    return names[0] if names[0] in PARTS and len(names) > 1 else OTHER


def _sizes(folder: Path, names: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], int]]:
    """Yield the first two names of the path, and the bytes, of every file; files that vanish meanwhile are left out."""
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        below = names if len(names) == 2 else (*names, entry.name)
        if entry.is_dir(follow_symlinks=False):
            yield from _sizes(Path(entry.path), below)
        elif not entry.is_symlink():
            yield below, _bytes(entry)


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def free_bytes(home: Home) -> int:
    """Return the free space of the file system on which the home lies [bytes]."""
    return shutil.disk_usage(home.path).free


def waiting_in_inbox(home: Home) -> list[Path]:
    """List the source files and music in the inbox that the next nightly run takes in; every file is hashed."""
    if not home.inbox.is_dir():
        return []
    lake, sources = Lake(home), source_files([home.inbox])
    return [*waiting_files(lake.batch_log(), sources), *_unknown(audio_files(home.inbox), lake.sources())]


def waiting_uploads(home: Home, searched: Container[str]) -> list[Path]:
    """List the uploads that no run has searched; `searched` has the SHA-256 of the others. Every file is hashed."""
    found = possible_audio(home.uploads) if home.uploads.is_dir() else []
    return _unknown(filter(can_be_opened, found), searched)


def _unknown(paths: Iterable[Path], known: Container[str]) -> list[Path]:
    return [path for path in paths if files.sha256_of(path) not in known]


def oldest(paths: Iterable[Path]) -> datetime | None:
    """Return the time of the earliest change of a file, UTC; None without files."""
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return datetime.fromtimestamp(min(times), UTC) if times else None


def quarantined(home: Home) -> pl.DataFrame:
    """Return how many rows wait in the quarantine: table and n_rows, most rows first."""
    rows = [{"table": batch.table, "n_rows": batch.n_quarantined} for batch in with_refused_rows(Lake(home))]
    counts = (
        pl.DataFrame(rows, {"table": pl.String(), "n_rows": pl.Int64()}).group_by("table").agg(pl.col("n_rows").sum())
    )
    return counts.sort("n_rows", "table", descending=[True, False])
