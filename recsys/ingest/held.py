"""
The accepted rows of one source for one table, in bounded memory, until all of the source has been read.

Rows of an event table are held in memory up to a limit, and beyond it in files; they are returned in groups of whole
days. Groups can be deduplicated one by one, since rows with the same key have the same instant. Rows of a reference
table stay in memory, without the repetitions of a log of plays, which names a recording and its artist in every row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import polars as pl
from typing_extensions import override

from recsys.ingest.fresh import by_day
from recsys.lake.contract import Contract

HELD_BYTES = 128 * 1024**2
_SHARE = 4  # the part of it that a reference table may take before repetitions are left out
_ROWS_PER_READ = 50_000  # of a file: what is read for a day is a multiple of it
_VECTORS = "audio_vectors"  # how often a length occurs among its rows decides (see `recsys.ingest.vectors`)


class HeldRows(Protocol):
    """Rows of one table, in the order of the file."""

    def add(self, rows: pl.DataFrame) -> None:
        """Add the next rows of the file: the contract's columns and `_line`."""

    def groups(self) -> Iterator[pl.DataFrame]:
        """Yield all rows, in groups that have no key in common; can be called again."""


def held_rows(contract: Contract, zone: ZoneInfo, folder: Path) -> HeldRows:
    """
    Return a holder of the rows of one table.

    Args:
        contract: The contract of the table.
        zone: The market time zone, which decides the day of a row.
        folder: A folder for files, which is created when it is needed; the caller removes it.
    """
    return _Events(contract, zone, folder) if contract.instant else _References(contract)


class _Run(NamedTuple):
    """A file of rows, ordered by day; and of each of its days: `ds`, `start` (its first row, from 0) and `n_rows`."""

    path: Path
    days: pl.DataFrame


@dataclass
class _Events(HeldRows):
    contract: Contract
    zone: ZoneInfo
    folder: Path
    _held: list[pl.DataFrame] = field(default_factory=list)
    _n_bytes: float = 0
    _runs: list[_Run] = field(default_factory=list)

    @override
    def add(self, rows: pl.DataFrame) -> None:
        self._held.append(rows)
        self._n_bytes += rows.estimated_size()
        if rows.height and self._n_bytes > HELD_BYTES:
            self._write_run()

    @override
    def groups(self) -> Iterator[pl.DataFrame]:
        if not self._runs:
            yield pl.concat(self._held)
            return
        if self._held:
            self._write_run()
        days = pl.concat([run.days for run in self._runs])
        n_rows_held = max(sum(run.days["n_rows"].to_list()) for run in self._runs)
        for first, last in _spans(days, n_rows_held):
            yield pl.concat([_read(run, first, last) for run in self._runs])

    def _write_run(self) -> None:
        rows, days = by_day(pl.concat(self._held), str(self.contract.instant), self.zone)
        path = self.folder / f"{self.contract.table}-{len(self._runs)}.arrow"
        self.folder.mkdir(parents=True, exist_ok=True)
        rows.write_ipc(path, record_batch_size=_ROWS_PER_READ)
        self._runs.append(_Run(path, days))
        self._held, self._n_bytes = [], 0


def _spans(days: pl.DataFrame, limit: int) -> Iterator[tuple[date, date]]:
    """Yield first and last day of spans of about `limit` rows; a day with more is a span of its own."""
    n_rows = days.group_by("ds").agg(pl.sum("n_rows")).sort("ds")
    before = pl.cum_sum("n_rows") - pl.col("n_rows")
    spans = n_rows.group_by(before // limit, maintain_order=True).agg(first=pl.first("ds"), last=pl.last("ds"))
    yield from spans.select("first", "last").iter_rows()


def _read(run: _Run, first: date, last: date) -> pl.DataFrame:
    """Read the rows of some days from a file."""
    days = run.days.filter(pl.col("ds").is_between(first, last))
    start, n_rows = days.select(pl.min("start").fill_null(0), pl.sum("n_rows")).row(0)
    return pl.scan_ipc(run.path, glob=False).slice(start, n_rows).collect()


@dataclass
class _References(HeldRows):
    contract: Contract
    _held: list[pl.DataFrame] = field(default_factory=list)
    _n_bytes: float = 0
    _limit: float = field(default_factory=lambda: HELD_BYTES / _SHARE)

    @override
    def add(self, rows: pl.DataFrame) -> None:
        self._held.append(rows)
        self._n_bytes += rows.estimated_size()
        if self._n_bytes > self._limit and self.contract.table != _VECTORS:
            distinct = pl.concat(self._held).unique(self.contract.names, keep="first", maintain_order=True)
            self._held, self._n_bytes = [distinct], distinct.estimated_size()
            self._limit = max(HELD_BYTES / _SHARE, 2 * self._n_bytes)

    @override
    def groups(self) -> Iterator[pl.DataFrame]:
        yield pl.concat(self._held)
