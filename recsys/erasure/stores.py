"""
The stores of a home: which files may name a listener, and how each kind of file is read and rewritten.

Every file of a home belongs to a store, or to `WITHOUT_LISTENERS`; a test looks for files that belong to neither, so a
new kind of file has to be added here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from recsys.erasure import lines, model, parquet
from recsys.home import Home
from recsys.ingest.formats.service_feedback import PREFIX
from recsys.warehouse import erase as duckdb_file


class Reader(Protocol):
    """How a kind of file is searched and rewritten; a module."""

    def rows(self, path: Path, user_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the rows that name one of the listeners."""

    def listeners(self, path: Path) -> set[str]:
        """Return the listeners in the file, where they have a column of their own."""

    def copy_without(self, path: Path, target: Path, user_ids: Sequence[str]) -> None:
        """Write a copy without these rows."""


@dataclass(frozen=True)
class Store:
    """
    A kind of file that may name listeners.

    Attributes:
        name: What it is, in words.
        patterns: Where its files are, below the home; a pattern that ends in LISTENERS stands for the folder.
        reader: How they are searched and rewritten.
    """

    name: str
    patterns: tuple[str, ...]
    reader: Reader

    def paths(self, home: Home) -> Iterator[Path]:
        """Yield its files and folders, sorted, without those that are reached through links."""
        root = home.path.resolve()
        every = (path for pattern in self.patterns for path in home.path.glob(pattern))
        found = {path for path in every if path.resolve() == root / path.relative_to(home.path)}
        yield from sorted(path.parent if path.name == model.LISTENERS else path for path in found)


LAKE = Store("raw tables and quarantine", ("lake/*/ds=*/*.parquet", "lake/_undone/*/ds=*/*.parquet"), parquet)
STORES = (
    LAKE,
    Store("runs", ("runs/*/*.parquet", "runs/*/products/*.parquet"), parquet),
    Store("logs of runs", ("runs/*/*.jsonl", "runs/*/*.json"), lines),
    Store("tables as Parquet", ("marts/*/*.parquet",), parquet),
    Store("warehouses", ("warehouse/*.duckdb",), duckdb_file),
    Store("lists of other recommenders", ("lists/*/*.parquet",), parquet),
    Store("models", (f"models/*/*/{model.LISTENERS}",), model),
    Store("exports", ("exports/ds=*/run=*/*.parquet",), parquet),
    Store("feedback that waits", (f"inbox/{PREFIX}*",), lines),
    Store("exports as text", ("exports/ds=*/run=*/*.csv", "exports/ds=*/run=*/*.jsonl"), lines),
)
WITHOUT_LISTENERS = (  # figures of many listeners, metadata, and what operators write
    "*.toml",
    "*.json",
    ".lock",
    ".service_keys.lock",
    "listener.key",
    "lake/_ledger/*.json",
    "erased.txt",
    "state.sqlite*",
    "lake/_time_zone",
    "lake/_erased",
    "lake/_retention.json",
    "lake/_checked.json",
    "lake/_listener_key",
    "releases/*/checksums.json",
    "lake/label_figures/**/*",
    "indexes/*/*",
    "upload_prints/*",
    "warehouse/labels/*/*.duckdb",
    "exports/ds=*/run=*/manifest.json",
    "exports/ds=*/run=*/_SUCCESS",
    "reports/**/*",
    "takedowns/*.csv",
    "tags/*/*",
    "migrations/*/lake/_ledger/*.json",
)
