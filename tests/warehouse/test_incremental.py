"""An incremental build gives the same tables as a complete one."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from recsys.ingest.undo import undo
from recsys.installation.paths import SQL_FOLDER
from recsys.lake.store import Lake
from recsys.warehouse.increment import spans
from recsys.warehouse.sqlfile import quoted

from .conftest import LISTENS, TODAY, Place, rows

DAY_GRAIN = {"marts.artist_daily", "marts.interactions_daily", "marts.track_daily"}
# What these tests build: day-grain tables, row counts per batch, and a reference table.
READ = {*DAY_GRAIN, "marts.data_quality", "marts.track_features"}
FULL: dict[str, list[str]] = {}


@pytest.fixture(scope="module")
def built(world: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a complete build of these tables from the rows in conftest."""
    return Place(world.home, tmp_path_factory.mktemp("built")).build("built", only=READ)


def stale(*days: str) -> dict[str, list[str]]:
    """Return the plan that computes these days of every day-grain table and copies the others."""
    return {table: list(days) for table in DAY_GRAIN}


def differences(one: Path, other: Path) -> dict[str, int]:
    """Return table -> number of rows that only one of two files has, repeated rows counted."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(one)} as one (read_only); attach {quoted(other)} as other (read_only)")
        listed = (
            "select table_name from duckdb_tables() where database_name = '{}' and schema_name = 'marts' order by 1"
        )
        tables, others = (connection.execute(listed.format(name)).fetchall() for name in ("one", "other"))
        assert tables == others
        found = {}
        for (table,) in tables:
            here, there = f"from one.marts.{table}", f"from other.marts.{table}"
            query = f"select count(*) from (({here} except all {there}) union all ({there} except all {here}))"
            ((found[table],),) = connection.execute(query).fetchall()
        return {table: n for table, n in found.items() if n}


def late_rows(place: Place) -> None:
    """Add rows of earlier days to two event tables."""
    place.take("late.csv", "user_id,track_id,listened_at\nzoe,t1,2026-01-05T12:00:00Z\nann,t3,2026-01-06T10:00:00Z\n")
    place.take("late_likes.csv", "user_id,track_id,event_at,event\nann,t3,2026-01-01,like\n")


def new_day(place: Place) -> None:
    """Add the file of a new day."""
    place.take("new.csv", "user_id,track_id,listened_at\nann,t9,2026-01-20T12:00:00Z\n")


def changed_duration(place: Place) -> None:
    """Correct the length of a track, so that a skip becomes a play."""
    place.take("fix.csv", "track_id,title,artist_id,duration_ms\nt2,Two,ar1,9000\n")


def described_stub(place: Place) -> None:
    """Deliver metadata for a stub."""
    place.take("stub.csv", "track_id,title,artist_id,duration_ms\nstub,No Stub,ar2,200000\n")


def no_day(place: Place) -> None:
    """Add repeated listens, a new artist name and another track on a playlist, none of which affects a day."""
    place.take("again.csv", LISTENS.replace("\n", "\r\n"))
    place.take("artist.csv", "artist_id,name\nar1,Ada the Second\n")
    place.take("list.csv", "playlist_id,position,track_id\np1,1,t2\n")


CHANGES: dict[Callable[[Place], None], list[str]] = {
    late_rows: ["2026-01-01", "2026-01-05", "2026-01-06"],
    new_day: ["2026-01-20"],
    changed_duration: ["2026-01-06"],
    described_stub: ["2026-01-12"],
    no_day: [],
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_incremental_build_equals_a_full_one(
    grown: Place, built: Path, planned: dict[str, list[str]], change: Callable[[Place], None]
) -> None:
    """Only the days affected by new rows are computed."""
    change(grown)
    incremental = grown.build("incremental", previous=built, only=READ)

    assert planned == stale(*CHANGES[change])
    assert differences(incremental, grown.build("full", only=READ)) == {}


@pytest.mark.parametrize(("change", "file"), [(late_rows, "late.csv"), (changed_duration, "fix.csv")])
def test_a_build_after_an_undo_equals_a_full_one(
    grown: Place, planned: dict[str, list[str]], change: Callable[[Place], None], file: str
) -> None:
    """Days of events that left are computed; if a reference row left, all days are, since its keys are not known."""
    change(grown)
    before = grown.build("before", only=READ)
    batch = next(entry.batch for entry in Lake(grown.home).batches() if entry.source_file == file)
    undo(grown.home, batch, today=TODAY)
    incremental = grown.build("incremental", previous=before, only=READ)

    assert planned == (stale("2026-01-05", "2026-01-06") if change is late_rows else FULL)
    assert differences(incremental, grown.build("full", only=READ)) == {}
    outcomes = rows(incremental, f"select outcome, n_rows from marts.data_quality where source_file = '{file}'")
    assert outcomes == [("undone", 2 if change is late_rows else 1)]


def test_the_date_moves_back_and_forth(
    world: Place, built: Path, planned: dict[str, list[str]], tmp_path: Path
) -> None:
    """Backwards everything is computed, without later rows; forwards the days after the last date are added."""
    place = Place(world.home, tmp_path)
    earlier = place.build("earlier", as_of=date(2026, 1, 6), previous=built, only=READ)
    assert planned == FULL
    later = place.build("later", previous=earlier, only=READ)
    assert planned == stale("2026-01-11", "2026-01-12")

    assert differences(earlier, place.build("full", as_of=date(2026, 1, 6), only=READ)) == {}
    assert differences(later, built) == {}


def test_rows_after_the_date_wait(grown: Place, built: Path, planned: dict[str, list[str]]) -> None:
    """A new batch with days after the date affects no day yet."""
    grown.take("ahead.csv", "user_id,track_id,listened_at\nann,t1,2026-02-25\n")
    same = grown.build("same", previous=built, only=READ)
    assert planned == stale()
    assert differences(same, built) == {"data_quality": 1}
    following = grown.build("following", as_of=date(2026, 2, 26), previous=same, only=READ)

    assert planned == stale("2026-02-25")
    assert rows(following, "select max(listen_date) from marts.track_daily") == [(date(2026, 2, 25),)]


def test_a_backfill_computes_its_days_again(
    world: Place, built: Path, planned: dict[str, list[str]], tmp_path: Path
) -> None:
    """It repairs a damaged day of the published file."""
    place, before = Place(world.home, tmp_path), Path(shutil.copy(built, tmp_path / "before.duckdb"))
    with duckdb.connect(before) as connection:
        connection.execute("delete from marts.interactions_daily where listen_date = '2026-01-12' and track_id = 't3'")
        connection.execute("insert into marts.track_daily from marts.track_daily where listen_date = '2026-01-11'")
    span = (date(2026, 1, 11), date(2026, 1, 12))
    repaired = place.build("repaired", previous=before, backfill=span, only=READ)

    assert planned == stale("2026-01-11", "2026-01-12")
    assert differences(before, built).keys() == {"interactions_daily", "track_daily"}
    assert differences(repaired, built) == {}


def test_a_long_history_is_built_some_days_at_a_time(
    world: Place, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are the same, however the days are split."""
    monkeypatch.setattr("recsys.warehouse.increment._ROWS_PER_SPAN", 2)

    assert differences(Place(world.home, tmp_path).build("parted", only=READ), built) == {}


@pytest.mark.parametrize(
    ("n_rows", "lengths"),
    [([], []), ([5], [1]), ([9], [1]), ([2, 3, 1], [2, 1]), ([9, 1, 1, 9], [1, 2, 1]), ([1] * 12, [5, 5, 2])],
)
def test_days_are_split_in_order_and_within_the_limit(
    n_rows: list[int], lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No day is lost or split; a span stays within the limit, unless one day alone exceeds it."""
    monkeypatch.setattr("recsys.warehouse.increment._ROWS_PER_SPAN", 5)
    days = {date(2026, 1, 1) + timedelta(days=n): rows_here for n, rows_here in enumerate(n_rows)}
    parts = spans(days)

    assert [len(part) for part in parts] == lengths
    assert [day for part in parts for day in part] == list(days)


def test_a_chain_of_builds_equals_one_build(grown: Place) -> None:
    """Several incremental builds in a row, with several changes each, equal one complete build."""
    last = None
    for n, changes in enumerate(((late_rows,), (changed_duration, described_stub), (new_day, no_day))):
        for change in changes:
            change(grown)
        last = grown.build(f"night{n}", as_of=date(2026, 1, 6) + timedelta(days=8 * n), previous=last)

    assert last is not None
    assert differences(last, grown.build("full", as_of=date(2026, 1, 22))) == {}


STILL_INCREMENTAL: dict[str, set[str]] = {
    "intermediate/judged_listens.sql": set(),
    "marts/track_daily.sql": {"marts.artist_daily", "marts.interactions_daily"},
}


@pytest.mark.parametrize("file", STILL_INCREMENTAL)
def test_a_table_with_a_changed_query_is_computed_completely(
    world: Place, built: Path, planned: dict[str, list[str]], tmp_path: Path, file: str
) -> None:
    """So is every downstream table."""
    place, sql = Place(world.home, tmp_path), tmp_path / "sql"
    shutil.copytree(SQL_FOLDER, sql)
    text = (sql / file).read_text()
    for old, new in (("- 0.25 * n_skips", "- 0.5 * n_skips"), (">= 30000", ">= 70000"), ("n_plays > 0", "n_plays > 1")):
        text = text.replace(old, new)
    (sql / file).write_text(text)
    changed = place.build("changed", previous=built, sql=sql, only=READ)

    assert planned.keys() == STILL_INCREMENTAL[file]
    assert differences(changed, place.build("full", sql=sql, only=READ)) == {}
    assert differences(changed, built) != {}


def test_a_batch_removed_from_the_lake_is_removed_from_the_marts(
    grown: Place, world: Place, built: Path, planned: dict[str, list[str]]
) -> None:
    """After a restore of the lake, everything is computed."""
    late_rows(grown)
    before = grown.build("before", only=READ)
    restored = Place(world.home, grown.folder).build("restored", previous=before, only=READ)

    assert planned == FULL
    assert differences(restored, built) == {}


def test_an_interrupted_ingest_is_finished_before_the_build(grown: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise later builds would never read the days of a batch that the batch log names."""
    with monkeypatch.context() as patch:
        patch.setattr("recsys.lake.store.Lake._move_into_place", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            new_day(grown)

    assert rows(grown.build("w", only=READ), "select sum(n_listens)::bigint from marts.interactions_daily") == [(7,)]


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
