"""
What the steps of a run read, by parameter name.

A parameter names one of these: a property of `Inputs`; a table or artefact that an earlier step made; `<name>_file`,
the path of one; `last_<name>`, a table of the last release; or a query of `sql/internal`, run on the built warehouse.
"""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split, split
from recsys.home import Home
from recsys.lake.store import Batch, Lake
from recsys.library.files import Recording, recordings
from recsys.pipeline import indexes
from recsys.pipeline.plan import BUILD, FILE, made_by_steps, results
from recsys.pipeline.publication import last_published
from recsys.pipeline.results import Artefact, Result
from recsys.pipeline.run import Event, Run
from recsys.recipe import Recipe
from recsys.releases import registry
from recsys.releases.gate import CurrentRelease
from recsys.releases.release import Release
from recsys.warehouse.internal import internal_names, internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex

LAST = "last_"


class Inputs:
    """The inputs of one run. Large ones are read once and kept."""

    def __init__(self, run: Run, backfill: tuple[date, date] | None = None) -> None:
        self._run, self._backfill = run, backfill

    def __getitem__(self, name: str) -> Any:
        """Return the input of a parameter; raises KeyError if no input has the name."""
        made, in_last, in_file = made_by_steps(), name.removeprefix(LAST), name.removesuffix(FILE)
        if hasattr(type(self), name):
            return getattr(self, name)
        if name in made:
            return _read(made[name], self._run)
        if in_file in made:
            return made[in_file].path(self._run)
        if name != in_last and in_last in results():
            return results()[in_last].read(self.last_results.get(in_last, []))
        if name in internal_names():
            return self._query(internal_sql(name))
        raise KeyError(name)

    def _query(self, sql: str) -> pl.DataFrame:
        params = {"as_of": self.as_of, "served_on": self.served_on}
        with Warehouse.open(self._built) as warehouse:
            return warehouse.query(sql, {name: value for name, value in params.items() if f"${name}" in sql})

    @property
    def _built(self) -> Path:
        return made_by_steps()[BUILD].path(self._run)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._run.run_id

    @property
    def as_of(self) -> date:
        """The last day of the logs that the run uses."""
        return self._run.as_of

    @property
    def served_on(self) -> date:
        """The day on which listeners are shown the lists."""
        return self._run.served_on

    @property
    def backfill(self) -> tuple[date, date] | None:
        """First and last day to compute again even if nothing new was ingested for them."""
        return self._backfill

    @property
    def recipe(self) -> Recipe:
        """The settings of the run."""
        return self._run.recipe

    @property
    def home(self) -> Home:
        """The home that the run reads and writes."""
        return self._run.home

    @property
    def lake(self) -> Lake:
        """The raw tables that were ingested."""
        return Lake(self._run.home)

    @property
    def batches(self) -> list[Batch]:
        """All ingested batches of rows, in order."""
        return self.lake.batches()

    @property
    def lake_fingerprint(self) -> str:
        """A hash of everything that was ingested."""
        return self.lake.fingerprint()

    @property
    def note(self) -> Callable[..., None]:
        """The function that logs an event of a long step, or a warning."""
        return self._run.log

    @property
    def champion(self) -> Event | None:
        """Run id, name and settings of the published recommender, None before the first release."""
        return registry.champion(self._run.home)

    @cached_property
    def last_release(self) -> Release | None:
        """The release that was current when the run began or was resumed, None before the first."""
        return registry.current(self._run.home)

    @property
    def last_published(self) -> CurrentRelease | None:
        """Date, rows and listeners of the last release, which the gate compares with; None before the first."""
        return last_published(self.last_release)

    @property
    def last_results(self) -> dict[str, list[Path]]:
        """Parquet files of the last release's results, by table: the warehouse holds them until the run has its own."""
        release = self.last_release
        paths = {} if release is None else {name: release.marts / f"{name}.parquet" for name in results()}
        return {name: [path] for name, path in paths.items() if path.exists()}

    @property
    def published_results(self) -> dict[str, list[Path]]:
        """Parquet files of the results that this run publishes, by table: its own and, for a history, earlier runs'."""
        return {name: self._published(result) for name, result in results().items()}

    def _published(self, result: Result) -> list[Path]:
        own = result.path(self._run)
        if result.history == "this run":
            return [own]
        known = sorted(self._run.home.runs.glob(f"*/{own.name}"))
        if result.history == "all runs":
            return known
        return [path for path in known if path == own or (path.parent / registry.PUBLISHED).exists()]

    @property
    def fingerprint_index(self) -> "FingerprintIndex | None":
        """The last release's index of fingerprints with the changes of the built tables; None without recordings."""
        return indexes.fingerprint_index_of(self._built, self.lake, self.last_release, self.note)

    @property
    def uploads(self) -> list[Recording]:
        """The uploaded music files that are searched for recordings of the catalogue."""
        folder = self._run.home.uploads
        return recordings(folder) if folder.exists() else []

    @cached_property
    def interactions(self) -> Interactions:
        """All interactions up to the run's date."""
        with Warehouse.open(self._built) as warehouse:
            return Interactions.read(warehouse, until=self.as_of)

    @cached_property
    def split(self) -> Split:
        """The training and the test window."""
        return self._split(self.as_of)

    @cached_property
    def validation(self) -> Split:
        """The same split one test window earlier: blends fit their weights on it and are then evaluated on `split`."""
        return self._split(self.split.train.as_of)

    def _split(self, known_until: date) -> Split:
        settings = self._run.recipe.evaluation
        with Warehouse.open(self._built) as warehouse:
            return split(warehouse, as_of=known_until, test_days=settings.test_days, gap_days=settings.gap_days)


def _read(made: Result | Artefact, run: Run) -> Any:
    path = made.path(run)
    if isinstance(made, Artefact):
        return made.read(path)
    return made.read([path] if path.exists() else [])
