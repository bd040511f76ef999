"""The lake has the same rows however a file is sliced while it is read, and however little of it is held in memory."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recsys.home import Home
from recsys.ingest import held
from recsys.ingest.formats import csv
from recsys.ingest.run import ingest
from recsys.ingest.settings import IngestSettings
from recsys.lake.store import Lake

from .conftest import TODAY

Row = tuple[str, str, str, int]  # user_id, track_id, listened_at, ms_played
HEADER = "user_id,track_id,listened_at,ms_played\n"
USERS, TRACKS = ("ann", "bob", ""), ("t1", "t2")
INSTANTS = ("2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z", "2026-01-02T00:00:00.5Z", "2026-01-30T10:00:00Z")
ROWS = st.tuples(st.sampled_from(USERS), st.sampled_from(TRACKS), st.sampled_from(INSTANTS), st.integers(1, 2))
SHARED = IngestSettings(max_refused=1.0)


def walk(rows: list[Row]) -> tuple[list[Row], list[int]]:
    """Return the rows that enter an empty lake, and the lines of those that conflict with an earlier one."""
    first: dict[tuple[str, str, str], Row] = {}
    seen, conflicting = set[Row](), []
    for line, row in enumerate(rows, start=2):
        if row[0] and row not in seen and first.setdefault(row[:3], row) != row:
            conflicting.append(line)
        seen.add(row)
    return list(first.values()), conflicting


@settings(max_examples=15, deadline=None)
@example([("ann", "t1", instant, 1) for instant in INSTANTS[::-1] * 2], 0, 60)  # files of days that are not in order
@example(
    [("ann", "t1", instant, ms) for ms in (1, 2) for instant in INSTANTS[1::-1]], 0, 60
)  # conflicts that are not, either
@example([], 0, 60)
@given(st.lists(ROWS, max_size=30), st.sampled_from((0, 400, 10**9)), st.sampled_from((60, 200, 10**6)))
def test_slices_change_nothing(rows: list[Row], held_bytes: int, block_bytes: int) -> None:
    """Rows that enter, duplicates and conflicts are those that a walk through the file row by row finds."""
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(held, "HELD_BYTES", held_bytes)
        patch.setattr(csv, "_BLOCK_BYTES", block_bytes)
        home, path = Home(Path(name) / "home"), Path(name) / "listens.csv"
        path.write_text(HEADER + "".join(f"{','.join(map(str, row))}\n" for row in rows))
        report = ingest(home, [path], today=TODAY, settings=SHARED)
        found = Lake(home).rows("listens").collect()
        refused = [pl.read_parquet(file) for file in (home.lake / "quarantine").rglob("*.parquet")]
        left = list((home.lake / "_staging").iterdir())

    accepted, conflicting = walk(rows)
    nameless = [line for line, row in enumerate(rows, start=2) if not row[0]]
    assert sorted(found.select("track_id", "listened_at", "ms_played").rows()) == sorted(
        (track, datetime.fromisoformat(instant), ms) for _, track, instant, ms in accepted
    )
    assert [line for part in refused for line in part["source_line"]] == [*nameless, *conflicting]
    assert report.batches[0].n_duplicate == len(rows) - len(nameless) - len(accepted) - len(conflicting)
    assert left == []
