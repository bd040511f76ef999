"""
Declaration of steps and their outputs: tables (`Result`) and other artefacts (`Artefact`).

A step is a function. Its parameters name its inputs (`pipeline.inputs`), its decorator declares its outputs. The order
of the steps, and the path, schema, publication and pruning of each output are derived from these declarations.
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
    An output of a step that is not a table.

    Attributes:
        name: The parameter by which later steps read it. The parameter `<name>_file` is its path.
        read: Reads it from its path.
        write: Writes it to its path, completely or not at all. If None, the step writes it itself.
        location: Returns its path in a run; by default, the file with its name in the run's folder.
        lifetime: How long it is kept: until the run is finished ('run'), as long as the run's release ('release'), or
            'always'.
    """

    name: str
    read: Callable[[Path], Any] = files.read_json
    write: Callable[[Path, Any], None] | None = None
    location: Callable[[Run], Path] | None = None
    lifetime: Lifetime = "release"

    def path(self, run: Run) -> Path:
        """Return its path in a run."""
        return self.location(run) if self.location else run.folder / self.name


@dataclass(frozen=True)
class Result:
    """
    A table that is an output of a step.

    Attributes:
        name: Name of its file, of the table `raw.<name>`, and of the parameter with which later steps read it.
        columns: Its columns. A column `run_id` is filled in when the table is written.
        history: The runs whose rows are published: this run, all runs, or all published runs. If None, the table is not
            published, and only later steps of the same run read it.
        has_mart: Whether the mart of its name has its columns, from which later runs read the last release's rows.
            Otherwise they read its file in the folder of that release's run.
    """

    name: str
    columns: tuple[columns.Column, ...]
    history: Literal["this run", "all runs", "published runs"] | None = "this run"
    has_mart: bool = True

    @property
    def lifetime(self) -> Lifetime:
        """How long its file is kept: 'always' if later runs publish its rows too, otherwise as long as the release."""
        return "always" if self.history in {"all runs", "published runs"} else "release"

    @property
    def schema(self) -> pl.Schema:
        """The names and types of its columns."""
        return columns.schema(self.columns)

    def path(self, run: Run) -> Path:
        """Return the path of its file in a run."""
        return run.folder / f"{self.name}.parquet"

    def read(self, paths: Sequence[Path]) -> pl.DataFrame:
        """Read files, which may be of older versions: the columns are the current ones, null where a file lacks one."""
        empty = pl.DataFrame(schema=self.schema)
        return pl.concat([empty, *map(pl.read_parquet, paths)], how="diagonal")[empty.columns]

    def write(self, run: Run, table: pl.DataFrame) -> None:
        """Write the table to its file in a run, completely or not at all."""
        rows = table.with_columns(run_id=pl.lit(run.run_id)) if "run_id" in self.schema else table
        write_table(self.path(run), rows.select(self.schema.names()).cast(self.schema))


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    The return value of a step.

    Attributes:
        outputs: The declared tables and artefacts by name, without artefacts that the step writes itself.
        counts: Counts and other facts that are logged and stored in the step's marker.
        refusal: The reason why the run must stop; empty if it may continue.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    refusal: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """A step: a function with its declared outputs. Calling the step calls the function."""

    function: Callable[..., Outcome]
    outputs: tuple[Result | Artefact, ...]

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.__name__

    @property
    def reads(self) -> list[str]:
        """The names of its inputs, which are the parameters of the function."""
        return list(signature(self.function).parameters)

    def __call__(self, *args: Any, **kwargs: Any) -> Outcome:
        """Call the function."""
        return self.function(*args, **kwargs)


def step(*outputs: Result | Artefact) -> Callable[[Callable[..., Outcome]], Step]:
    """Return a decorator that declares a function of `pipeline/steps/` as a step with these outputs."""
    return lambda function: Step(function, outputs)


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a table as Parquet, completely or not at all."""
    files.write_atomically(path, lambda beside: table.write_parquet(beside, compression="zstd"))


def whole_folder(fill: Callable[[Path, Any], None]) -> Callable[[Path, Any], None]:
    """Return a function that writes a folder with `fill`, under a temporary name until the folder is complete."""

    def write(path: Path, value: Any) -> None:
        with files.new_folder(path) as beside:
            fill(beside, value)

    return write
