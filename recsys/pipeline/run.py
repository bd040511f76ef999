"""
A run: its id, its folder, its log and its complete steps.

A run id consists of the run's date and a hash of everything on which the run depends: source files, recipe, code and
SQL. The same inputs therefore give the same run id. A finished run need not be repeated; an interrupted run can be
resumed.
"""

import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import files
from recsys.errors import RecsysError, SetupError
from recsys.home import Home
from recsys.installation import paths
from recsys.lake.store import Lake

if TYPE_CHECKING:
    from recsys.recipe import Recipe

Event = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """
    The id of a run, and the values that all its steps use.

    Attributes:
        home: The home that the run reads and writes.
        as_of: The last day of listening data that the run uses.
        recipe: The settings.
        run_id: `<as_of>-<hash>`.
        tell: Called with every logged event, to show progress.
    """

    home: Home
    as_of: date
    recipe: "Recipe"
    run_id: str
    tell: Callable[[Event], None] = field(default=lambda _event: None)

    @classmethod
    def of(
        cls,
        home: Home,
        as_of: date,
        recipe: "Recipe",
        *,
        waiting: Iterable[str] = (),
        tell: Callable[[Event], None] = lambda _event: None,
    ) -> "Run":
        """Return the run of the lake's data and of files that are still to be ingested (`waiting`, by SHA-256)."""
        from recsys.warehouse.sqlfile import read_layers  # noqa: PLC0415 - `recsys runs` needs no SQL parser

        sources = Lake(home).sources() | set(waiting)
        queries = [file.fingerprint for file in read_layers().values()]
        code = [path.read_text(encoding="utf-8") for path in paths.code_files()]
        settings = json.dumps(recipe.as_dict(), sort_keys=True)
        name = files.short_hash(*sorted(sources), settings, *code, *queries)[:8]
        return cls(home, as_of, recipe, f"{as_of}-{name}", tell)

    @property
    def served_on(self) -> date:
        """The day on which the lists are shown to listeners: the day after `as_of`."""
        return self.as_of + timedelta(days=1)

    @property
    def folder(self) -> Path:
        """The folder of the log, the step markers and the working files."""
        return self.home.runs / self.run_id

    @property
    def model(self) -> Path:
        """The folder of the model that was fitted on all data."""
        return self.home.path / "models" / self.run_id / self.recipe.recommender

    @property
    def export(self) -> Path:
        """The folder of the export."""
        return self.home.path / "exports" / f"ds={self.as_of}" / f"run={self.run_id}"

    def log(self, **event: object) -> None:
        """Append an event to the JSON log and pass it to `tell`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stamped: Event = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "run": self.run_id, **event}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(stamped, default=str) + "\n")
        self.tell(stamped)

    def marker(self, step: str) -> Path:
        """Return the path of a step's marker, a file that exists if the step is complete."""
        return self.folder / f"{step}.done.json"

    def outcome(self, step: str) -> Event | None:
        """Return the counts in a step's marker (see `results.Outcome`); None if the step is not complete."""
        try:
            return dict(files.read_json(self.marker(step))) if self.marker(step).exists() else None
        except (ValueError, TypeError):  # a damaged marker: the step runs again
            return None

    def mark_incomplete(self, *steps: str) -> None:
        """Remove the markers of steps, so that the steps run again."""
        for step in steps:
            files.remove(self.marker(step))

    def require_complete(self, step: str) -> None:
        """Raise SetupError if a step is not complete; the message names the command that runs it."""
        if self.outcome(step) is None:
            raise SetupError(
                f"The step {step!r} of the run {self.run_id} is not complete. Run: recsys {step} --date {self.as_of}"
            )


@contextmanager
def logged_step(run: Run, name: str) -> Iterator[Event]:
    """Log start, end and time of a step, and write its marker with the counts that the `with` block sets."""
    run.log(event="start", step=name)
    started, counts = time.perf_counter(), Event()
    try:
        yield counts
    except BaseException as stopped:  # an interrupt is logged too, then raised again
        seconds = round(time.perf_counter() - started, 3)
        run.log(event="failed", step=name, seconds=seconds, error=error_text(stopped))
        raise
    seconds = round(time.perf_counter() - started, 3)
    files.write_json(run.marker(name), counts)
    run.log(event="done", step=name, seconds=seconds, **counts)


def error_text(stopped: BaseException) -> str:
    """Describe an error for the log; messages of other libraries are omitted, since they may contain listening data."""
    kind = type(stopped).__name__
    if isinstance(stopped, RecsysError):
        return f"{kind}: {stopped}"
    place = traceback.extract_tb(stopped.__traceback__)[-1]
    return f"{kind} in {Path(place.filename).name}, line {place.lineno}"
