"""A source is in the lake wholly or not at all, wherever an ingest is cut short."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from pkgutil import resolve_name

import polars as pl
import pytest

from recsys.errors import InputError
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.pipeline.doctor import examine
from recsys.releases.registry import publish
from recsys.releases.release import Release

TODAY = date(2026, 1, 31)
LISTENS = "user_id,track_id,listened_at\nann,t1,2026-01-01\nbob,t1,2026-01-02\nbob,,2026-01-02\n"
TRACKS = "track_id,title,artist_id\nt1,One,ar1\n"


class Cut(Exception):  # noqa: N818 - stands in for a killed process
    """The process ends here."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with one track in its lake."""
    (tmp_path / "tracks.csv").write_text(TRACKS)
    ingest(Home(tmp_path / "home"), [tmp_path / "tracks.csv"], today=TODAY)
    return Home(tmp_path / "home")


@pytest.fixture
def listens(tmp_path: Path) -> Path:
    """A file of two good rows and a bad one."""
    (tmp_path / "listens.csv").write_text(LISTENS)
    return tmp_path / "listens.csv"


def contents(home: Home) -> dict[str, bytes]:
    """Every file of the lake but the temporary ones."""
    found = (path for path in home.lake.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(home.lake)): path.read_bytes() for path in found}


def cut_at(n: int, then: Callable[..., object]) -> Callable[..., object]:
    """Let the first n calls through and end the process at the next."""
    calls = iter(range(n))

    def call(*args: object, **named: object) -> object:
        if next(calls, None) is None:
            raise Cut
        return then(*args, **named)

    return call


CUTS = [
    ("recsys.lake.store._write", 0),
    ("recsys.lake.store._write", 1),
    ("recsys.lake.store._write", 2),
    ("recsys.files.sync_tree", 0),
    ("recsys.files.write_json", 0),
    ("recsys.lake.store.Lake._move_into_place", 0),
    ("pathlib.Path.replace", 0),  # the ledger entry's own name
    ("pathlib.Path.replace", 1),  # the first part
    ("pathlib.Path.replace", 2),
    ("pathlib.Path.replace", 3),
]


@pytest.mark.parametrize(("where", "n"), CUTS)
def test_a_source_cut_short_is_in_wholly_or_not_at_all(
    home: Home, listens: Path, monkeypatch: pytest.MonkeyPatch, where: str, n: int
) -> None:
    """After recovery the lake is as before or as after; then the same file leads to the same bytes as ever."""
    before = contents(home)
    with monkeypatch.context() as patch:
        patch.setattr(where, cut_at(n, resolve_name(where)))
        with pytest.raises(Cut):
            ingest(home, [listens], today=TODAY)

    Lake(home).recover()
    recovered = contents(home)
    ingest(home, [listens], today=TODAY)

    assert recovered in (before, contents(home))
    assert Lake(home).rows("listens").collect().height == 2
    assert [batch.n_read for batch in Lake(home).batches()] == [1, 3]
    assert not any("_staging" in name for name in contents(home))


def test_a_committed_source_is_finished_at_the_next_ingest(
    home: Home, listens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger names it, so its rows come into place before anything else is read."""
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_move_into_place", cut_at(0, print))
        with pytest.raises(Cut):
            ingest(home, [listens], today=TODAY)
    assert Lake(home).rows("listens").collect().is_empty()

    report = ingest(home, [listens], today=TODAY)

    assert [path.name for path in report.known_files] == ["listens.csv"]
    assert Lake(home).rows("listens").collect().height == 2


def test_rows_lie_in_the_partition_of_their_day(home: Home, listens: Path) -> None:
    """A log by its instant, a register and the quarantine by the day of ingest."""
    (batch,) = ingest(home, [listens], today=TODAY).batches
    names = set(contents(home))

    assert {
        f"listens/ds=2026-01-01/{batch.batch}.parquet",
        f"listens/ds=2026-01-02/{batch.batch}.parquet",
        f"quarantine/ds=2026-01-31/{batch.batch}.parquet",
    } <= names
    assert any(name.startswith("tracks/ds=2026-01-31/") for name in names)


def test_rows_of_some_days_are_read_without_the_others(home: Home, listens: Path) -> None:
    """And a table that nobody delivered is empty, in its own schema."""
    ingest(home, [listens], today=TODAY)
    lake = Lake(home)

    assert lake.rows("listens", [date(2026, 1, 2), date(2026, 1, 9)]).collect().height == 1
    assert lake.rows("listens", []).collect().is_empty()
    assert lake.rows("events").collect_schema() == CONTRACTS["events"].schema


def test_the_latest_row_of_a_register_is_that_of_the_last_batch(home: Home, tmp_path: Path) -> None:
    """Older versions stay in the lake."""
    (tmp_path / "newer.csv").write_text(TRACKS.replace("One", "Uno"))
    ingest(home, [tmp_path / "newer.csv"], today=TODAY)

    assert Lake(home).latest(CONTRACTS["tracks"]).collect()["title"].to_list() == ["Uno"]
    assert Lake(home).rows("tracks").collect().height == 2


def test_an_ingest_is_the_same_bytes_under_the_same_key(home: Home, listens: Path, tmp_path: Path) -> None:
    """Same files, same key, same day: the same lake."""
    other = Home(tmp_path / "other")
    other.path.mkdir()
    other.key_file.write_bytes(home.key_file.read_bytes())
    other.key_file.chmod(0o600)
    ingest(home, [listens], today=TODAY)
    ingest(other, [tmp_path / "tracks.csv", listens], today=TODAY)

    assert contents(other) == contents(home)


def test_the_lake_is_plain_parquet(home: Home, listens: Path) -> None:
    """Any tool reads it, partitions included."""
    ingest(home, [listens], today=TODAY)
    read = pl.read_parquet(home.lake / "listens" / "*" / "*.parquet", hive_partitioning=True)

    assert sorted(str(day) for day in read["ds"]) == ["2026-01-01", "2026-01-02"]


def only_file(home: Home, pattern: str) -> Path:
    """The one Parquet file of the lake that a pattern finds."""
    (path,) = home.lake.glob(f"{pattern}/*.parquet")
    return path


def test_a_whole_lake_is_as_its_ledger_says(home: Home, listens: Path) -> None:
    """Two days of listens, a track and a refused row lie in four files."""
    ingest(home, [listens], today=TODAY)

    assert Lake(home).verify() == 4


@pytest.mark.parametrize(
    ("table", "source"), [("listens/ds=2026-01-02", "listens"), ("tracks/*", "tracks"), ("quarantine/*", "listens")]
)
def test_a_lost_file_is_noticed(home: Home, listens: Path, table: str, source: str) -> None:
    """With table, batch, source file, the missing rows and what to do, also if it was the table's only one."""
    ingest(home, [listens], today=TODAY)
    lost = only_file(home, table)
    lost.unlink()

    with pytest.raises(InputError, match=rf"1 rows are missing in the batch {lost.stem} of {source}\.csv.* a backup"):
        Lake(home).verify()


def test_rows_that_the_ledger_does_not_know_are_noticed(home: Home, listens: Path) -> None:
    """A lost ledger entry would let its source enter twice."""
    (batch,) = ingest(home, [listens], today=TODAY).batches
    (home.lake / "_ledger" / f"{batch.source_sha256[:12]}.json").unlink()

    with pytest.raises(InputError, match=r"2 rows too many in the batch .* of no source in the ledger"):
        Lake(home).verify()


@pytest.mark.parametrize("n_bytes", [0, -20])
def test_a_truncated_file_is_noticed(home: Home, n_bytes: int) -> None:
    """By the lake, and by the doctor, who says what to do."""
    cut = only_file(home, "tracks/*")
    cut.write_bytes(cut.read_bytes()[:n_bytes])

    with pytest.raises(InputError, match=f"lake/tracks/ds=2026-01-31/{cut.name} is no whole Parquet file"):
        Lake(home).verify()
    assert "a backup" in {finding.what: finding.remedy for finding in examine(home) if not finding.is_fit}["lake files"]


def test_a_source_yet_to_be_moved_into_place_is_not_lost(
    home: Home, listens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A committed ingest that was cut short has its rows in the staging folder; the next one finishes it."""
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_move_into_place", cut_at(0, print))
        with pytest.raises(Cut):
            ingest(home, [listens], today=TODAY)

    assert Lake(home).verify() == 4


@pytest.mark.parametrize("lost", ["", "listener.key"])
def test_the_doctor_only_looks(home: Home, tmp_path: Path, lost: str) -> None:
    """Neither a missing home nor a lost key is made by a look at it."""
    (home.path / lost).unlink() if lost else None
    before = sorted(tmp_path.rglob("*"))
    findings = {finding.what: finding.is_fit for finding in (*examine(home), *examine(Home(tmp_path / "none")))}

    assert findings["listener key"] is not bool(lost)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_doctor_misses_the_model_in_charge(home: Home, tmp_path: Path) -> None:
    """A release whose model is gone is a finding, and the look goes on."""
    release = Release(tmp_path / "w.duckdb", tmp_path / "marts", tmp_path / "model")
    for part in release.links().values():
        part.mkdir()
    publish(home, "r1", release)
    wrong = {finding.what: finding.remedy for finding in examine(home) if not finding.is_fit}

    assert str(release.model) in wrong["champion"]
    assert "warehouse" in wrong
