"""
How a step declares what it makes: tables for SQL (`Result`) and other artefacts, each declared once, beside the step.

A step is a function. Its parameters name what it reads (`pipeline.inputs`), its `@step` line names what it makes. From
these two follow the order of the steps, a result's file, its empty table, its publication and its pruning.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import polars as pl

from recsys import columns, files
from recsys.pipeline.run import Run

Lifetime = Literal["run", "release", "always"]


@dataclass(frozen=True)
class Artefact:
    """
    Something other than a table that a step makes for later steps.

    Attributes:
        name: The parameter by which later steps read it. The parameter `<name>_file` is its path.
        read: Reads it from its path.
        write: Writes it to its path, completely or not at all. None: the step takes the path and writes it itself.
        place: Returns its path; by default, the file of its name in the run's folder.
        lifetime: How long it is kept: until the run is finished, as long as the run's release, or always.
    """

    name: str
    read: Callable[[Path], Any] = files.read_json
    write: Callable[[Path, Any], None] | None = None
    place: Callable[[Run], Path] | None = None
    lifetime: Lifetime = "release"

    def path(self, run: Run) -> Path:
        """Return its path in a run."""
        return self.place(run) if self.place else run.folder / self.name


@dataclass(frozen=True)
class Result:
    """
    A table that a step makes.

    Attributes:
        name: The name of its file, of `raw.<name>` in the warehouse, and of the parameter by which later steps read it.
        columns: Its columns. A column `run_id` is filled in when the table is written.
        history: Which rows are published: those of this run, of all runs, or of all runs that were published. None:
            the table is not published; only later steps read it.
    """

    name: str
    columns: tuple[columns.Column, ...]
    history: Literal["this run", "all runs", "published runs"] | None = "this run"

    @property
    def lifetime(self) -> Lifetime:
        """How long its file is kept: always, if later runs publish its history."""
        return "always" if self.history in {"all runs", "published runs"} else "release"

    @property
    def schema(self) -> pl.Schema:
        """The names and types of its columns."""
        return columns.schema(self.columns)

    def path(self, run: Run) -> Path:
        """Return its file in a run."""
        return run.folder / f"{self.name}.parquet"

    def read(self, paths: Sequence[Path]) -> pl.DataFrame:
        """Read files, also those of older versions: in today's columns, null where a file lacks one."""
        empty = pl.DataFrame(schema=self.schema)
        return pl.concat([empty, *map(pl.read_parquet, paths)], how="diagonal")[empty.columns]

    def write(self, run: Run, table: pl.DataFrame) -> None:
        """Write it to a run's folder, completely or not at all."""
        rows = table.with_columns(run_id=pl.lit(run.run_id)) if "run_id" in self.schema else table
        write_table(self.path(run), rows.select(self.schema.names()).cast(self.schema))


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    What a step made.

    Attributes:
        made: Tables and artefacts by name: those that the `@step` line declares and the step does not write itself.
        counts: What is logged, and kept in the step's marker.
        refusal: Why the run must stop here; empty if it may go on.
    """

    made: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """A step: a function and what it makes. Calling the step calls the function."""

    function: Callable[..., Outcome]
    makes: tuple[Result | Artefact, ...]

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.__name__

    @property
    def reads(self) -> list[str]:
        """The names of its parameters: what it reads."""
        return list(signature(self.function).parameters)

    def __call__(self, *given: Any, **named: Any) -> Outcome:
        """Call the function."""
        return self.function(*given, **named)


def step(*makes: Result | Artefact) -> Callable[[Callable[..., Outcome]], Step]:
    """Declare a function of `pipeline/steps/` as a step that makes these tables and artefacts."""
    return lambda function: Step(function, makes)


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet, completely or not at all."""
    files.write_atomically(path, lambda beside: table.write_parquet(beside, compression="zstd"))


def whole_folder(fill: Callable[[Path, Any], None]) -> Callable[[Path, Any], None]:
    """Return a writer of a folder that `fill` fills beside its final path; it is moved there when it is complete."""

    def write(path: Path, value: Any) -> None:
        with files.new_folder(path) as beside:
            fill(beside, value)

    return write
