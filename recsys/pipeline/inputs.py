"""
What the steps of a run read, by the name of a parameter.

A name is a property here; or a table or artefact that an earlier step made; or `<name>_file`, its path; or
`last_<name>`, a table of the current release; or a query of `sql/internal` to the built warehouse.
"""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split, split
from recsys.home import Home
from recsys.lake.store import Lake
from recsys.library.files import Recording, recordings
from recsys.pipeline.plan import BUILD, FILE, made_by_steps, results
from recsys.pipeline.results import Artefact, Result, write_table
from recsys.pipeline.run import Event, Run
from recsys.recipe import Recipe
from recsys.releases import registry
from recsys.releases.release import Release
from recsys.warehouse.internal import internal_names, internal_sql
from recsys.warehouse.query import Warehouse

LAST = "last_"


class Inputs:
    """The inputs of one run; large ones are read once."""

    def __init__(self, run: Run, backfill: tuple[date, date] | None = None) -> None:
        self._run, self._backfill = run, backfill

    def __getitem__(self, name: str) -> Any:
        """Return what a parameter names; raises KeyError for a name that is none."""
        made, of_release, of_file = made_by_steps(), name.removeprefix(LAST), name.removesuffix(FILE)
        if hasattr(type(self), name):
            return getattr(self, name)
        if name in made:
            return _read(made[name], self._run)
        if of_file in made:
            return made[of_file].path(self._run)
        if name != of_release and of_release in results():
            return results()[of_release].read(self.last_results.get(of_release))
        if name in internal_names():
            return self._answer(internal_sql(name))
        raise KeyError(name)

    def _answer(self, sql: str) -> pl.DataFrame:
        facts = {"as_of": self.as_of, "served_on": self.served_on}
        with Warehouse.open(self._built) as warehouse:
            return warehouse.query(sql, {name: value for name, value in facts.items() if f"${name}" in sql})

    @property
    def _built(self) -> Path:
        return made_by_steps()[BUILD].path(self._run)

    @property
    def run_id(self) -> str:
        """Which run this is."""
        return self._run.run_id

    @property
    def as_of(self) -> date:
        """The last day of the logs that counts."""
        return self._run.as_of

    @property
    def served_on(self) -> date:
        """The day on which listeners get the lists."""
        return self._run.served_on

    @property
    def backfill(self) -> tuple[date, date] | None:
        """First and last day whose tables are computed again even if untouched."""
        return self._backfill

    @property
    def recipe(self) -> Recipe:
        """What the run is told."""
        return self._run.recipe

    @property
    def home(self) -> Home:
        """Where it works."""
        return self._run.home

    @property
    def lake(self) -> Lake:
        """The raw tables."""
        return Lake(self._run.home)

    @property
    def note(self) -> Callable[..., None]:
        """Logs an event of a long step, or a warning."""
        return self._run.log

    @property
    def champion(self) -> Event | None:
        """Run, name and config of the recommender in charge, None before the first."""
        return registry.champion(self._run.home)

    @property
    def last_release(self) -> Release | None:
        """The current release, None before the first."""
        return registry.current(self._run.home)

    @property
    def last_results(self) -> dict[str, Path]:
        """Tables that the current release's run made, by name: warehouses show them until this run has made its own."""
        release = self.last_release
        paths = {} if release is None else {name: release.marts / f"{name}.parquet" for name in results()}
        return {name: path for name, path in paths.items() if path.exists()}

    @property
    def published_results(self) -> dict[str, Path]:
        """Tables that this run's release is to show, by name: its own, and the history of those that have one."""
        return {name: self._published(result) for name, result in results().items()}

    def _published(self, result: Result) -> Path:
        own = result.path(self._run)
        if result.history == "this run":
            return own
        known = sorted(self._run.home.runs.glob(f"*/{own.name}"))
        shown = [path for path in known if path == own or (path.parent / registry.PUBLISHED).exists()]
        gathered = own.with_name(f"{result.name}_history.parquet")
        tables = [pl.read_parquet(path) for path in (known if result.history == "all runs" else shown)]
        write_table(gathered, pl.concat(tables, how="diagonal").sort("run_id", maintain_order=True))
        return gathered

    @property
    def uploads(self) -> list[Recording]:
        """The files of the home in which recordings of the catalogue are looked for."""
        folder = self._run.home.uploads
        return recordings(folder) if folder.exists() else []

    @cached_property
    def interactions(self) -> Interactions:
        """Everything up to the run's date."""
        with Warehouse.open(self._built) as warehouse:
            return Interactions.read(warehouse, until=self.as_of)

    @cached_property
    def split(self) -> Split:
        """Training and test window."""
        return self._split(self.as_of)

    @cached_property
    def validation(self) -> Split:
        """The same cut, one test window earlier: what blends learn from before they are judged on `split`."""
        return self._split(self.split.train.as_of)

    def _split(self, known_until: date) -> Split:
        settings = self._run.recipe.evaluation
        with Warehouse.open(self._built) as warehouse:
            return split(warehouse, as_of=known_until, test_days=settings.test_days, gap_days=settings.gap_days)


def _read(made: Result | Artefact, run: Run) -> Any:
    path = made.path(run)
    if isinstance(made, Artefact):
        return made.read(path)
    return made.read(path if path.exists() else None)
