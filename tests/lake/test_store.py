"""Ingest of a source is atomic: after an interruption at any point, either all or none of its rows are in the lake."""

import json
import os
import random
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name

import polars as pl
import pytest

from recsys.errors import SetupError
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.pipeline.doctor import run_checks
from recsys.releases.registry import publish
from recsys.releases.release import Release

TODAY = date(2026, 1, 31)
LISTENS = "user_id,track_id,listened_at\nann,t1,2026-01-01\nbob,t1,2026-01-02\nbob,,2026-01-02\n"
TRACKS = "track_id,title,artist_id\nt1,One,ar1\n"


class Killed(Exception):  # noqa: N818 - stands in for a killed process
    """The process ends here."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Return a home with one track in its lake."""
    (tmp_path / "tracks.csv").write_text(TRACKS)
    ingest(Home(tmp_path / "home"), [tmp_path / "tracks.csv"], today=TODAY)
    return Home(tmp_path / "home")


@pytest.fixture
def listens(tmp_path: Path) -> Path:
    """Return a file with two valid rows and an invalid one."""
    (tmp_path / "listens.csv").write_text(LISTENS)
    return tmp_path / "listens.csv"


def contents(home: Home) -> dict[str, bytes]:
    """Return every file of the lake, by path, without the temporary ones."""
    paths = (path for path in home.lake.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(home.lake)): path.read_bytes() for path in paths}


def killed_after(n: int, then: Callable[..., object]) -> Callable[..., object]:
    """Return a function that forwards n calls to `then` and raises at the next call."""
    calls = iter(range(n))

    def call(*args: object, **named: object) -> object:
        if next(calls, None) is None:
            raise Killed
        return then(*args, **named)

    return call


INTERRUPTIONS = [
    ("recsys.lake.store._write", 0),
    ("recsys.lake.store._write", 1),
    ("recsys.lake.store._write", 2),
    ("recsys.files.sync_tree", 0),
    ("recsys.files.write_json", 0),
    ("recsys.lake.store.Lake._move_into_place", 0),
    ("pathlib.Path.replace", 0),  # the file of the batch log
    ("pathlib.Path.replace", 1),  # the first data file
    ("pathlib.Path.replace", 2),
    ("pathlib.Path.replace", 3),
]


@pytest.mark.parametrize(("where", "n"), INTERRUPTIONS)
def test_an_interrupted_ingest_is_finished_or_undone(
    home: Home, listens: Path, monkeypatch: pytest.MonkeyPatch, where: str, n: int
) -> None:
    """Recovery restores the lake from before or after; ingesting the file again gives the same bytes in both cases."""
    before = contents(home)
    with monkeypatch.context() as patch:
        patch.setattr(where, killed_after(n, resolve_name(where)))
        with pytest.raises(Killed):
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
    """The batch log names it, so its files are moved into place before anything else is read."""
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_move_into_place", killed_after(0, print))
        with pytest.raises(Killed):
            ingest(home, [listens], today=TODAY)
    assert Lake(home).rows("listens").collect().is_empty()

    report = ingest(home, [listens], today=TODAY)

    assert [path.name for path in report.known_files] == ["listens.csv"]
    assert Lake(home).rows("listens").collect().height == 2


def test_rows_are_partitioned_by_day(home: Home, listens: Path) -> None:
    """Event tables by the day of the event, reference tables and the quarantine by the day of ingest."""
    (batch,) = ingest(home, [listens], today=TODAY).batches
    names = set(contents(home))

    assert {
        f"listens/ds=2026-01-01/{batch.batch}.parquet",
        f"listens/ds=2026-01-02/{batch.batch}.parquet",
        f"quarantine/ds=2026-01-31/{batch.batch}.parquet",
    } <= names
    assert any(name.startswith("tracks/ds=2026-01-31/") for name in names)


def test_rows_of_some_days_are_read_without_the_others(home: Home, listens: Path) -> None:
    """A table without files is empty and has the schema of its contract."""
    ingest(home, [listens], today=TODAY)
    lake = Lake(home)

    assert lake.rows("listens", [date(2026, 1, 2), date(2026, 1, 9)]).collect().height == 1
    assert lake.rows("listens", []).collect().is_empty()
    assert lake.rows("events").collect_schema() == CONTRACTS["events"].schema


def test_the_latest_row_of_a_reference_table_is_from_the_last_batch(home: Home, tmp_path: Path) -> None:
    """Older versions stay stored."""
    (tmp_path / "newer.csv").write_text(TRACKS.replace("One", "Uno"))
    ingest(home, [tmp_path / "newer.csv"], today=TODAY)

    assert Lake(home).latest(CONTRACTS["tracks"]).collect()["title"].to_list() == ["Uno"]
    assert Lake(home).rows("tracks").collect().height == 2


def test_ingest_is_deterministic(home: Home, listens: Path, tmp_path: Path) -> None:
    """The same files, key and day give the same bytes."""
    other = Home(tmp_path / "other")
    other.path.mkdir()
    other.key_file.write_bytes(home.key_file.read_bytes())
    other.key_file.chmod(0o600)
    ingest(home, [listens], today=TODAY)
    ingest(other, [tmp_path / "tracks.csv", listens], today=TODAY)

    assert contents(other) == contents(home)


def test_the_lake_is_plain_parquet(home: Home, listens: Path) -> None:
    """Other tools can read it, partitions included."""
    ingest(home, [listens], today=TODAY)
    read = pl.read_parquet(home.lake / "listens" / "*" / "*.parquet", hive_partitioning=True)

    assert sorted(str(day) for day in read["ds"]) == ["2026-01-01", "2026-01-02"]


def only_file(home: Home, pattern: str) -> Path:
    """Return the only Parquet file in a folder of the lake."""
    (path,) = home.lake.glob(f"{pattern}/*.parquet")
    return path


def test_an_intact_lake_agrees_with_its_batch_log(home: Home, listens: Path) -> None:
    """Two days of listens, a track and a refused row are four files."""
    ingest(home, [listens], today=TODAY)

    assert Lake(home).verify() == 4


@pytest.mark.parametrize(
    ("table", "source"), [("listens/ds=2026-01-02", "listens"), ("tracks/*", "tracks"), ("quarantine/*", "listens")]
)
def test_a_lost_file_is_noticed(home: Home, listens: Path, table: str, source: str) -> None:
    """The message names table, batch, source file, missing rows and the remedy, even for the only file of a table."""
    ingest(home, [listens], today=TODAY)
    lost = only_file(home, table)
    lost.unlink()

    with pytest.raises(SetupError, match=rf"1 rows are missing in the batch {lost.stem} of {source}\.csv.* a backup"):
        Lake(home).verify()


def test_rows_missing_from_the_batch_log_are_noticed(home: Home, listens: Path) -> None:
    """Without its entry in the batch log, a source could be ingested twice."""
    (batch,) = ingest(home, [listens], today=TODAY).batches
    (home.lake / "_ledger" / f"{batch.source_sha256[:12]}.json").unlink()

    with pytest.raises(SetupError, match=r"2 extra rows in the batch .* of no source in the batch log"):
        Lake(home).verify()


@pytest.mark.parametrize("n_bytes", [0, -20])
def test_a_truncated_file_is_noticed(home: Home, n_bytes: int) -> None:
    """`verify` raises, and `recsys doctor` reports it with a remedy."""
    truncated = only_file(home, "tracks/*")
    truncated.write_bytes(truncated.read_bytes()[:n_bytes])

    with pytest.raises(SetupError, match=f"lake/tracks/ds=2026-01-31/{truncated.name} is not a complete Parquet file"):
        Lake(home).verify()
    assert "a backup" in {check.name: check.fix for check in run_checks(home) if not check.is_ok}["lake files"]


def flip(path: Path, position: int, bit: int) -> None:
    """Flip one bit of a file and keep its time of change, as a fault of the disk does."""
    before, found = bytearray(path.read_bytes()), path.stat()
    before[position] ^= 1 << bit
    path.write_bytes(before)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def test_every_flipped_bit_is_noticed(home: Home, listens: Path) -> None:
    """Of 100 bits of all files, each is noticed; restored files are intact again."""
    ingest(home, [listens], today=TODAY)
    rng, paths = random.Random(7), sorted(home.lake.glob("*/*/*.parquet"))
    for _ in range(100):
        path = rng.choice(paths)
        position, bit = rng.randrange(path.stat().st_size), rng.randrange(8)
        flip(path, position, bit)
        with pytest.raises(SetupError, match=rf"{path.name}.* a backup"):
            Lake(home).verify()
        flip(path, position, bit)

    assert Lake(home).verify() == 4


def test_the_daily_check_finds_a_changed_file_at_once_and_a_flipped_bit_within_30_days(home: Home) -> None:
    """Each file is compared again on one day of 30, and on every day after its size or time has changed."""
    path, lake = only_file(home, "tracks/*"), Lake(home)
    lake.verify(TODAY)
    flip(path, 20, 0)

    noticed = [day for day in (TODAY + timedelta(days=n) for n in range(60)) if is_damaged(lake, day)]
    path.touch()

    assert [(later - first).days for first, later in pairwise(noticed)] == [30]
    assert is_damaged(lake, noticed[0] + timedelta(days=1))


def is_damaged(lake: Lake, day: date) -> bool:
    """Return whether the daily check of a day finds a changed file."""
    try:
        lake.verify(day)
    except SetupError as damaged:
        return "the bytes have changed" in str(damaged)
    return False


def test_batches_without_checksums_are_still_read(home: Home) -> None:
    """Older versions kept none: their files are compared by their rows only."""
    (log,) = (home.lake / "_ledger").glob("*.json")
    entries = json.loads(log.read_text())
    log.write_text(json.dumps([{name: entry[name] for name in entry if name != "checksums"} for entry in entries]))

    assert Lake(home).verify() == 1
    assert Lake(home).batches()[0].checksums == {}


@pytest.mark.parametrize("content", ["", "[{", "[1]", '[{"batch": "b"}]', "\ud800"])
def test_a_damaged_batch_log_is_named(home: Home, content: str) -> None:
    """The message names the file and the remedy."""
    (log,) = (home.lake / "_ledger").glob("*.json")
    log.write_bytes(content.encode(errors="surrogatepass"))

    with pytest.raises(SetupError, match=rf"lake/_ledger/{log.name} is damaged: .* a backup"):
        Lake(home).verify()


def test_a_committed_source_in_staging_is_not_missing(
    home: Home, listens: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files count although they still have to be moved into place."""
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "_move_into_place", killed_after(0, print))
        with pytest.raises(Killed):
            ingest(home, [listens], today=TODAY)

    assert Lake(home).verify() == 4


@pytest.mark.parametrize("lost", ["", "listener.key"])
def test_the_doctor_changes_nothing(home: Home, tmp_path: Path, lost: str) -> None:
    """It creates neither a missing home nor a lost key."""
    (home.path / lost).unlink() if lost else None
    before = sorted(tmp_path.rglob("*"))
    checks = {check.name: check.is_ok for check in (*run_checks(home), *run_checks(Home(tmp_path / "none")))}

    assert checks["listener key"] is not bool(lost)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_doctor_reports_a_missing_champion_model(home: Home, tmp_path: Path) -> None:
    """A release without its model is a finding; the checks after it still run."""
    release = Release(tmp_path / "w.duckdb", tmp_path / "marts", tmp_path / "model")
    for part in release.links().values():
        part.mkdir()
    publish(home, "r1", release)
    wrong = {check.name: check.fix for check in run_checks(home) if not check.is_ok}

    assert str(release.model) in wrong["champion"]
    assert "warehouse" in wrong


def test_the_doctor_says_rollback_when_the_current_release_is_lost(home: Home, tmp_path: Path) -> None:
    """The releases are on disk, only the link to one of them is missing or broken."""
    release = Release(tmp_path / "w.duckdb", tmp_path / "marts")
    for part in release.links().values():
        part.mkdir()
    publish(home, "r1", release)
    home.current.unlink()

    lost = {check.name: check.fix for check in run_checks(home)}["release"]
    home.current.symlink_to("releases/r0")
    broken = {check.name: check.fix for check in run_checks(home)}["release"]

    assert lost == broken == "recsys rollback r1"


def test_the_doctor_names_a_published_file_that_has_changed(home: Home, tmp_path: Path) -> None:
    """The checksums of a release's tables are kept when it is published."""
    release = Release(tmp_path / "w.duckdb", tmp_path / "marts")
    release.warehouse.write_bytes(b"warehouse")
    release.marts.mkdir()
    (release.marts / "m.parquet").write_bytes(b"mart")
    publish(home, "r1", release)
    intact = {check.name: check.is_ok for check in run_checks(home)}["release"]
    (release.marts / "m.parquet").write_bytes(b"mars")

    fix = {check.name: check.fix for check in run_checks(home) if not check.is_ok}["release"]

    assert intact
    assert fix.startswith(f"{release.marts / 'm.parquet'} is missing or has changed")


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"{" * 100_000])
def test_the_doctor_examines_a_damaged_home_to_the_end(home: Home, content: bytes) -> None:
    """Whatever is damaged is a finding of its own check."""
    for path in (*(home.lake / "_ledger").iterdir(), home.key_file, home.key_fingerprint, home.lake / "_time_zone"):
        path.write_bytes(content)

    checks = {check.name: check.is_ok for check in run_checks(home)}

    assert not checks["lake"]
    assert not checks["listener key"]
    assert list(checks)[-1] == "release"
