"""
The inputs of the steps of a run, by parameter name.

A parameter is one of these: a property of `Inputs`; the name of a table or artefact of an earlier step; `<name>_file`,
the path of such a table or artefact; `last_<name>`, a table of the last release; or the name of a query in
`sql/internal`, which is run on the built warehouse.
"""

from collections.abc import Callable
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split, split
from recsys.errors import InputError, SetupError
from recsys.files import printable
from recsys.home import Home
from recsys.lake.store import Batch, Lake
from recsys.ledger.lines import Lines
from recsys.ledger.store import Ledger
from recsys.library.files import Recording, can_be_opened, named_recordings, possible_audio
from recsys.pipeline import indexes
from recsys.pipeline.plan import BUILD, FILE_SUFFIX, results, step_outputs
from recsys.pipeline.publication import last_published
from recsys.pipeline.results import Artefact, Result
from recsys.pipeline.run import Event, Run
from recsys.recipe import Recipe
from recsys.recommenders.parts.repeats import hearing_again
from recsys.releases import registry
from recsys.releases.gate import CurrentRelease
from recsys.releases.release import Release
from recsys.tags.doubts import doubts_of
from recsys.tags.kept import Training, trainings
from recsys.warehouse.internal import internal_names, internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex
    from recsys.tags.inputs import TrackInputs

LAST_PREFIX = "last_"


class Inputs:
    """The inputs of the steps of one run. Interactions and splits are read once and cached."""

    def __init__(self, run: Run, backfill: tuple[date, date] | None = None) -> None:
        self._run, self._backfill = run, backfill

    def __getitem__(self, name: str) -> Any:
        """Return the input with a parameter's name; raises KeyError if there is none."""
        made, in_last, in_file = step_outputs(), name.removeprefix(LAST_PREFIX), name.removesuffix(FILE_SUFFIX)
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
        return step_outputs()[BUILD].path(self._run)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._run.run_id

    @property
    def as_of(self) -> date:
        """The last day of listening data that the run uses."""
        return self._run.as_of

    @property
    def served_on(self) -> date:
        """The day on which the lists are shown to listeners."""
        return self._run.served_on

    @property
    def backfill(self) -> tuple[date, date] | None:
        """First and last day of a period to recompute even without new data; None if there is no such period."""
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
    def ledger(self) -> Lines:
        """The ledger of labels' figures; no lines if it is damaged, as `ledger_fault` says."""
        return self._ledger[0]

    @property
    def ledger_fault(self) -> str:
        """Why the ledger cannot be used; empty if it can."""
        return self._ledger[1]

    @cached_property
    def _ledger(self) -> tuple[Lines, str]:
        try:
            return Ledger(self._run.home).read(), ""
        except InputError as damaged:
            return Lines.of({}), str(damaged)

    @property
    def batches(self) -> list[Batch]:
        """All batches of the batch log, in the order of ingest."""
        return self.lake.batches()

    @property
    def ingest_day(self) -> date:
        """The day on which this run ingested files; without an ingest, the day of the last batch, or else `as_of`."""
        if (ingested := self._run.outcome("ingest")) and "ingested_on" in ingested:
            return date.fromisoformat(ingested["ingested_on"])
        return max((date.fromisoformat(batch.ingested_on) for batch in self.batches), default=self.as_of)

    @property
    def lake_fingerprint(self) -> str:
        """A hash of all ingested data."""
        return self.lake.fingerprint()

    @property
    def note(self) -> Callable[..., None]:
        """The function with which a step logs progress and warnings."""
        return self._run.log

    @property
    def champion(self) -> Event | None:
        """Run id, name and settings of the champion; None before the first release, or if its model is damaged."""
        try:
            return registry.champion(self._run.home)
        except SetupError as damaged:
            self.note(event="warning", text=f"the models are not compared with the champion: {damaged}")
            return None

    @cached_property
    def last_release(self) -> Release | None:
        """
        The release that was current when the run was started or resumed.

        None before the first, or if a file of its tables has changed: then everything is built anew.
        """
        name = registry.current_name(self._run.home)
        changed = None if name is None else registry.damaged_file(self._run.home, name)
        if changed is not None:
            text = f"{changed} is damaged: everything is built anew, and nothing is compared with the current release"
            self.note(event="warning", text=text)
        return registry.current(self._run.home) if changed is None else None

    @property
    def last_published(self) -> CurrentRelease | None:
        """
        Date, rows and listeners of the last release, which the gate compares with; None before the first.

        Rows that are older than the limits of retention are left out.
        """
        return last_published(self.last_release, self.lake.kept_from())

    @property
    def last_results(self) -> dict[str, list[Path]]:
        """Parquet files of the last release's results, by table; the build uses them until this run has its own."""
        release = self.last_release
        if release is None:
            return {}
        of_run = self._run.home.runs / release.marts.name.partition(".")[0]  # see `registry.free_name`
        folders = {name: release.marts if result.has_mart else of_run for name, result in results().items()}
        paths = {name: folder / f"{name}.parquet" for name, folder in folders.items()}
        return {name: [path] for name, path in paths.items() if path.exists()}

    @property
    def published_results(self) -> dict[str, list[Path]]:
        """Parquet files of the results that this run publishes, by table; a history includes earlier runs' files."""
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
        """The last release's fingerprint index, updated to the built warehouse; None if no recording has one."""
        return indexes.updated_fingerprint_index(self._built, self.lake, self.last_release, self.note)

    @property
    def uploads(self) -> list[Recording]:
        """The uploaded files, which are compared with the recordings of the catalogue."""
        folder = self._run.home.uploads
        found = possible_audio(folder) if folder.is_dir() else []
        readable = [path for path in found if can_be_opened(path)]
        for path in sorted(set(found) - set(readable)):
            text = f"{printable(str(path))} is not searched: there is no file that can be opened. Replace or remove it"
            self.note(event="warning", text=text)
        return named_recordings(folder, readable)

    @property
    def last_upload_prints(self) -> "FingerprintIndex | None":
        """Fingerprints of the uploads of earlier runs; None if there are none, or none of this version's network."""
        return indexes.upload_prints(self._run.home.upload_prints, self.note)

    @property
    def label_doubts(self) -> pl.DataFrame:
        """Delivered genres that the last training of tags doubted."""
        return doubts_of(self._run.home)

    @property
    def trainings(self) -> list[Training]:
        """The last training of tags of each kind."""
        return trainings(self._run.home)

    @property
    def training_inputs(self) -> "list[TrackInputs]":
        """What the heads of each of `trainings` read of each recording."""
        from recsys.tags.inputs import LISTENING, TrackInputs  # noqa: PLC0415 - a run without labels needs no scipy

        with Warehouse.open(self._built) as warehouse:
            return [
                TrackInputs.read(
                    warehouse,
                    self.interactions if LISTENING in training.inputs else None,
                    training.inputs,
                    training.consents,
                )
                for training in self.trainings
            ]

    @property
    def own_calibration(self) -> Path:
        """File of the home's own thresholds of matching, which need not exist."""
        return self._run.home.calibration

    @cached_property
    def interactions(self) -> Interactions:
        """All interactions up to the run's date."""
        with Warehouse.open(self._built) as warehouse:
            return Interactions.read(warehouse, until=self.as_of)

    @property
    def repeats(self) -> pl.DataFrame:
        """Odds of each pair of listener and recording of being heard again after the run's date."""
        with Warehouse.open(self._built) as warehouse:
            return hearing_again(warehouse, self.as_of)

    @cached_property
    def split(self) -> Split:
        """The interactions of the training window and the held-out tracks of the test window."""
        return self._split(self.as_of)

    @cached_property
    def validation(self) -> Split:
        """The split one test window before `split`; blends fit their weights on it."""
        return self._split(self.split.train.as_of)

    def _split(self, known_until: date) -> Split:
        recipe = self._run.recipe
        with Warehouse.open(self._built) as warehouse:
            return split(
                warehouse,
                as_of=known_until,
                test_days=recipe.evaluation.test_days,
                gap_days=recipe.evaluation.gap_days,
                new_only=recipe.export.new_only,
            )


def _read(made: Result | Artefact, run: Run) -> Any:
    path = made.path(run)
    if isinstance(made, Artefact):
        return made.read(path)
    return made.read([path] if path.exists() else [])
