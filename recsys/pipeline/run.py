"""
One run: its id, its folder, its log, and the steps that are complete.

A run id is the run's date and a hash of everything the run depends on: source files, recipe, code and SQL. The same
inputs therefore give the same run: if it is finished there is nothing to do, if it was interrupted it can be resumed.
"""

import json
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from recsys import files
from recsys.errors import RecsysError, SetupError
from recsys.home import Home
from recsys.installation import paths
from recsys.lake.store import Lake
from recsys.recipe import Recipe
from recsys.warehouse.sqlfile import read_layers

Event = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """
    A run's id and what its steps share.

    Attributes:
        home: The home that the run reads and writes.
        as_of: The last day of the logs that the run uses.
        recipe: The settings.
        run_id: `<as_of>-<hash>`.
        tell: Called with every logged event, to show progress.
    """

    home: Home
    as_of: date
    recipe: Recipe
    run_id: str
    tell: Callable[[Event], None] = field(default=lambda _event: None)

    @classmethod
    def of(
        cls,
        home: Home,
        as_of: date,
        recipe: Recipe,
        *,
        waiting: Iterable[str] = (),
        tell: Callable[[Event], None] = lambda _event: None,
    ) -> "Run":
        """Return the run of what the lake holds, and of the source files (SHA-256) that are still to be ingested."""
        sources = Lake(home).sources() | set(waiting)
        queries = [file.fingerprint for file in read_layers().values()]
        code = [path.read_text(encoding="utf-8") for path in paths.code_files()]
        settings = json.dumps(recipe.as_dict(), sort_keys=True)
        name = files.short_hash(*sorted(sources), settings, *code, *queries)[:8]
        return cls(home, as_of, recipe, f"{as_of}-{name}", tell)

    @property
    def served_on(self) -> date:
        """The day on which listeners are shown the lists: the day after `as_of`."""
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
        """Return the path of the file that exists once a step is complete."""
        return self.folder / f"{step}.done.json"

    def outcome(self, step: str) -> Event | None:
        """Return the counts of a complete step, None if it is not complete."""
        return files.read_json(self.marker(step)) if self.marker(step).exists() else None

    def forget(self, *steps: str) -> None:
        """Remove the markers of steps, so that they are done again."""
        for step in steps:
            files.remove(self.marker(step))

    def needs(self, step: str) -> None:
        """Raise SetupError unless a step, which the command of its name does, is complete."""
        if self.outcome(step) is None:
            raise SetupError(
                f"The step {step!r} of the run {self.run_id} is not complete. Run: recsys {step} --date {self.as_of}"
            )


@contextmanager
def step_of(run: Run, name: str) -> Iterator[Event]:
    """Time and log one step; the counts that the block fills in are kept in the step's marker."""
    run.log(event="start", step=name)
    started, counts = time.perf_counter(), Event()
    try:
        yield counts
    except BaseException as stopped:  # an interrupt is logged too, then raised again
        run.log(event="failed", step=name, error=_log_text(stopped))
        raise
    seconds = round(time.perf_counter() - started, 3)
    files.write_json(run.marker(name), counts)
    run.log(event="done", step=name, seconds=seconds, **counts)


def _log_text(stopped: BaseException) -> str:
    """Describe an error for the log: our own by its message, others by type and line, as a message may contain data."""
    kind = type(stopped).__name__
    if isinstance(stopped, RecsysError):
        return f"{kind}: {stopped}"
    place = traceback.extract_tb(stopped.__traceback__)[-1]
    return f"{kind} in {Path(place.filename).name}, line {place.lineno}"
