"""
One run: its identity, its folder, its log, and the steps it has finished.

A run is named by its date and a hash of everything it depends on (source files, recipe, code and SQL). So the
same inputs are the same run: a finished one has nothing left to do, an interrupted one can be taken up again.
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
    A run's identity and what its steps share.

    Attributes:
        home: Where it works.
        as_of: The last day of the logs that counts.
        recipe: What it is told.
        run_id: `<as_of>-<hash>`.
        tell: Called with every event, for a person to see.
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
        """Name the run of what is in the lake, and of the source files (SHA-256) that wait to enter it."""
        sources = Lake(home).sources() | set(waiting)
        queries = [file.fingerprint for file in read_layers().values()]
        code = [path.read_text(encoding="utf-8") for path in paths.code_files()]
        told = json.dumps(recipe.as_dict(), sort_keys=True)
        name = files.short_hash(*sorted(sources), told, *code, *queries)[:8]
        return cls(home, as_of, recipe, f"{as_of}-{name}", tell)

    @property
    def served_on(self) -> date:
        """The day on which listeners get the lists: the one after the last that counts."""
        return self.as_of + timedelta(days=1)

    @property
    def folder(self) -> Path:
        """Log, step markers and working files."""
        return self.home.runs / self.run_id

    @property
    def model(self) -> Path:
        """The model fitted on everything."""
        return self.home.path / "models" / self.run_id / self.recipe.recommender

    @property
    def export(self) -> Path:
        """The export's folder."""
        return self.home.path / "exports" / f"ds={self.as_of}" / f"run={self.run_id}"

    def log(self, **event: object) -> None:
        """Append an event to the JSON log and tell it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stamped: Event = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "run": self.run_id, **event}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(stamped, default=str) + "\n")
        self.tell(stamped)

    def marker(self, step: str) -> Path:
        """The file whose presence says that a step is whole."""
        return self.folder / f"{step}.done.json"

    def outcome(self, step: str) -> Event | None:
        """What a whole step counted; None where it is not whole."""
        return files.read_json(self.marker(step)) if self.marker(step).exists() else None

    def forget(self, *steps: str) -> None:
        """Have steps done again."""
        for step in steps:
            files.remove(self.marker(step))

    def needs(self, step: str, command: str) -> None:
        """Raise SetupError unless an earlier step is whole."""
        if self.outcome(step) is None:
            raise SetupError(f"The run {self.run_id} has no {step} yet. Run: recsys {command} --date {self.as_of}")


@contextmanager
def step_of(run: Run, name: str) -> Iterator[Event]:
    """Time and log one step; what the block puts into the counts is kept in the step's marker."""
    run.log(event="start", step=name)
    started, counts = time.perf_counter(), Event()
    try:
        yield counts
    except BaseException as stopped:  # an interrupt is logged too; whatever it is goes on its way
        run.log(event="failed", step=name, error=_told(stopped))
        raise
    seconds = round(time.perf_counter() - started, 3)
    files.write_json(run.marker(name), counts)
    run.log(event="done", step=name, seconds=seconds, **counts)


def _told(stopped: BaseException) -> str:
    """Put an error into the log: ours in its words, a library's by its kind and place, for its words may hold data."""
    kind = type(stopped).__name__
    if isinstance(stopped, RecsysError):
        return f"{kind}: {stopped}"
    place = traceback.extract_tb(stopped.__traceback__)[-1]
    return f"{kind} in {Path(place.filename).name}, line {place.lineno}"
