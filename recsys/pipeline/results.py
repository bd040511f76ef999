"""
How a step of a run says what it makes: tables for SQL and other artefacts, each declared once, beside the step.

A step is a function whose parameters name what it reads (`pipeline.inputs`) and whose `@step` line names what it makes.
The order of the steps, a result's file, its empty table, its publication and its pruning follow from these two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Any, Literal

import polars as pl

from recsys import columns, files
from recsys.pipeline.run import Run


@dataclass(frozen=True)
class Artefact:
    """
    Something other than a table that a step makes for later steps.

    Attributes:
        name: The parameter by which later steps read it; with `_file` behind it, the parameter of its path.
        read: Reads it from its path.
        write: Writes it to its path, whole or not at all; None where the step is given the path and writes it itself.
        place: Where it lies; by default under its name in the run's folder.
        is_kept: Whether it stays in the run's folder when the run's release is thrown away.
    """

    name: str
    read: Callable[[Path], Any] = files.read_json
    write: Callable[[Path, Any], None] | None = None
    place: Callable[[Run], Path] | None = None
    is_kept: bool = False

    def path(self, run: Run) -> Path:
        """Return where it lies."""
        return self.place(run) if self.place else run.folder / self.name


@dataclass(frozen=True)
class Result:
    """
    A table that a step makes.

    Attributes:
        name: Of its file, of `raw.<name>` in the warehouse and of the parameter by which later steps read it.
        columns: Its columns; `run_id` among them is filled in when it is written.
        history: Which rows are published: this run's, those of all runs, or those of all runs whose lists were shown.
            None: no row; only later steps read it.
    """

    name: str
    columns: tuple[columns.Column, ...]
    history: Literal["this run", "all runs", "published runs"] | None = "this run"

    @property
    def is_kept(self) -> bool:
        """Whether its file stays when the run's release is thrown away: later runs publish its history."""
        return self.history in {"all runs", "published runs"}

    @property
    def schema(self) -> pl.Schema:
        """Its columns and types."""
        return columns.schema(self.columns)

    def path(self, run: Run) -> Path:
        """Return its file."""
        return run.folder / f"{self.name}.parquet"

    def read(self, path: Path | None) -> pl.DataFrame:
        """Read a file in today's columns, null where an older version had none; empty where there is no file."""
        empty = pl.DataFrame(schema=self.schema)
        return empty if path is None else pl.concat([empty, pl.read_parquet(path)], how="diagonal")[empty.columns]

    def write(self, run: Run, table: pl.DataFrame) -> None:
        """Write it, whole or not at all."""
        rows = table.with_columns(run_id=pl.lit(run.run_id)) if "run_id" in self.schema else table
        write_table(self.path(run), rows.select(self.schema.names()).cast(self.schema))


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    What a step made.

    Attributes:
        made: Tables and artefacts by name: those that its `@step` line declares and it does not write itself.
        counts: What is logged, and kept as the mark that the step is whole.
        refusal: Why the run may not go on; empty where it may.
    """

    made: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """A step: its function, under the function's name, and what it makes. Calling it calls the function."""

    function: Callable[..., Outcome]
    makes: tuple[Result | Artefact, ...]

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.__name__

    @property
    def reads(self) -> list[str]:
        """The names of its parameters."""
        return list(signature(self.function).parameters)

    def __call__(self, *given: Any, **named: Any) -> Outcome:
        """Do the step."""
        return self.function(*given, **named)


def step(*makes: Result | Artefact) -> Callable[[Callable[..., Outcome]], Step]:
    """Make a function of `pipeline/steps/` a step, and say what it makes."""
    return lambda function: Step(function, makes)


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet, whole or not at all."""
    files.write_atomically(path, lambda beside: table.write_parquet(beside, compression="zstd"))


def whole_folder(fill: Callable[[Path, Any], None]) -> Callable[[Path, Any], None]:
    """Return a writer of a folder: filled beside its place, and put there when it is whole."""

    def write(path: Path, value: Any) -> None:
        with files.new_folder(path) as beside:
            fill(beside, value)

    return write
