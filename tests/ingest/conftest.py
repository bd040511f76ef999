"""A home and a folder of source files, both empty at the start of a test."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from recsys.home import Home
from recsys.ingest.run import IngestReport, ingest
from recsys.lake.contract import QUARANTINE
from recsys.lake.store import Lake

TODAY = date(2026, 1, 31)
LISTENS = "user_id,track_id,listened_at,ms_played,skipped,n_listens,utc_offset_min\n"


def zstd(content: str | bytes) -> bytes:
    """Compress into one zstd frame."""
    return bytes(pa.compress(content.encode() if isinstance(content, str) else content, codec="zstd", asbytes=True))


@dataclass(frozen=True)
class Inbox:
    """A folder that a test writes source files to, and the home that ingests them."""

    home: Home
    folder: Path

    def put(self, name: str, content: str | bytes) -> Path:
        """Write a source file."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def take(self, name: str, content: str | bytes, *, table: str | None = None, today: date = TODAY) -> IngestReport:
        """Write a source file and ingest it."""
        return ingest(self.home, [self.put(name, content)], today=today, table=table)

    def complaint(self, name: str, content: str | bytes, *, table: str | None = None) -> str:
        """Ingest a file that cannot be read, and return the message about it."""
        report = self.take(name, content, table=table)
        assert report.batches == []
        ((path, message),) = report.unreadable
        assert path == self.folder / name
        return message

    def rows(self, table: str) -> pl.DataFrame:
        """Return a table's rows in the lake, in the order of ingest."""
        return Lake(self.home).rows(table).collect().sort("batch_no", maintain_order=True)

    def refused(self) -> list[tuple[str, str | None, str, int]]:
        """Return reason, column, file and line of every row in the quarantine, ordered by file and line."""
        parts = [pl.read_parquet(path) for path in (self.home.lake / "quarantine").rglob("*.parquet")]
        rows = pl.concat([pl.DataFrame(schema=QUARANTINE), *parts]).sort("source_file", "source_line")
        return rows.select("reason", "column_name", "source_file", "source_line").rows()

    def payloads(self) -> list[str | None]:
        """Return the payload of every row in the quarantine, ordered by line."""
        parts = [pl.read_parquet(path) for path in (self.home.lake / "quarantine").rglob("*.parquet")]
        return pl.concat(parts).sort("source_line")["payload"].to_list()


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    """Return an empty home and an empty folder for source files."""
    (tmp_path / "in").mkdir()
    return Inbox(Home(tmp_path / "home"), tmp_path / "in")
