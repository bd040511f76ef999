"""A build that takes untouched days over is the same, table by table, as one from nothing."""

import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from recsys.warehouse import build as building
from recsys.warehouse.increment import fresh_days
from recsys.warehouse.sqlfile import SQL_FOLDER, quoted

from .conftest import AS_OF, LISTENS, Place, rows, with_world

DAY_GRAIN = {"marts.interactions_daily", "marts.track_daily"}
FULL: dict[str, list[str]] = {}


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What the last build planned: the fresh days of each table that it did not build from nothing."""
    plan: dict[str, list[str]] = {}

    def spy(*args: object) -> object:
        plan.clear()
        found = fresh_days(*args)  # type: ignore[arg-type]
        plan.update({name: [str(day) for day in days] for name, days in found.items()})
        return found

    monkeypatch.setattr(building, "fresh_days", spy)
    return plan


def differences(one: Path, other: Path) -> dict[str, int]:
    """How many rows of each table are in one file and not in the other, both ways, repeated rows counted."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted(one)} as one (read_only); attach {quoted(other)} as other (read_only)")
        listed = "select table_name from duckdb_tables() where database_name = '{}' and schema_name = 'marts' order by 1"
        tables, others = (connection.execute(listed.format(name)).fetchall() for name in ("one", "other"))
        assert tables == others
        found = {}
        for (table,) in tables:
            ways = [f"(from {a}.marts.{table} except all from {b}.marts.{table})" for a, b in ("12", "21")]
            query = f"select count(*) from ({' union all '.join(ways)})".replace("1.", "one.").replace("2.", "other.")
            found[table] = connection.execute(query).fetchall()[0][0]
        return {table: n for table, n in found.items() if n}


def late_rows(place: Place) -> None:
    """Rows of days long past, in two logs."""
    place.take("late.csv", "user_id,track_id,listened_at\nzoe,t1,2026-01-05T12:00:00Z\nann,t3,2026-01-06T10:00:00Z\n")
    place.take("late_likes.csv", "user_id,track_id,event_at,event\nann,t3,2026-01-01,like\n")


def new_day(place: Place) -> None:
    """The next day's file."""
    place.take("new.csv", "user_id,track_id,listened_at\nann,t9,2026-01-20T12:00:00Z\n")


def changed_duration(place: Place) -> None:
    """A track turns out to be so short that a skip of it was a play."""
    place.take("fix.csv", "track_id,title,artist_id,duration_ms\nt2,Two,ar1,9000\n")


def described_stub(place: Place) -> None:
    """What was only mentioned is delivered."""
    place.take("stub.csv", "track_id,title,artist_id,duration_ms\nstub,No Stub,ar2,200000\n")


def overlap(place: Place) -> None:
    """The same rows in another file: nothing new."""
    place.take("again.csv", LISTENS.replace("\n", "\r\n"))


def renamed_artist(place: Place) -> None:
    """An artist's new name touches no day."""
    place.take("artist.csv", "artist_id,name\nar1,Ada the Second\n")


def playlist(place: Place) -> None:
    """A playlist touches no day."""
    place.take("list.csv", "playlist_id,position,track_id\np1,1,t2\n")


def nothing(place: Place) -> None:
    """A night without news."""


CHANGES: dict[Callable[[Place], None], list[str]] = {
    late_rows: ["2026-01-01", "2026-01-05", "2026-01-06"],
    new_day: ["2026-01-20"],
    changed_duration: ["2026-01-06"],
    described_stub: ["2026-01-12"],
    overlap: [],
    renamed_artist: [],
    playlist: [],
    nothing: [],
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_an_incremental_build_equals_a_full_one(
    place: Place, planned: dict[str, list[str]], change: Callable[[Place], None]
) -> None:
    """Whatever came in since; and only the days that it touches are computed."""
    before = with_world(place).build("before")
    change(place)
    incremental = place.build("incremental", previous=before)

    assert planned == dict.fromkeys(DAY_GRAIN, CHANGES[change])
    assert differences(incremental, place.build("full")) == {}


def test_the_date_moves_forward(place: Place, planned: dict[str, list[str]]) -> None:
    """Rows that lay in the lake beyond the last date come in, though no batch is new."""
    before = with_world(place).build("before", as_of=date(2026, 1, 6))
    incremental = place.build("incremental", previous=before)

    assert planned == dict.fromkeys(DAY_GRAIN, ["2026-01-11", "2026-01-12"])
    assert differences(incremental, place.build("full")) == {}


def test_the_date_moves_back(place: Place, planned: dict[str, list[str]]) -> None:
    """Then everything is built from nothing, and nothing later leaks."""
    before = with_world(place).build("before")
    earlier = place.build("earlier", as_of=date(2026, 1, 6), previous=before)

    assert planned == FULL
    assert differences(earlier, place.build("full", as_of=date(2026, 1, 6))) == {}


def test_late_rows_beyond_the_date_wait(place: Place, planned: dict[str, list[str]]) -> None:
    """A new batch with days to come touches none of today's."""
    before = with_world(place).build("before", as_of=date(2026, 1, 6))
    place.take("ahead.csv", "user_id,track_id,listened_at\nann,t1,2026-01-25\n")
    same = place.build("same", as_of=date(2026, 1, 6), previous=before)

    assert planned == dict.fromkeys(DAY_GRAIN, [])
    assert differences(same, before) == {"data_quality": 1}
    assert differences(place.build("next", previous=same), place.build("full")) == {}


def test_a_backfill_computes_its_days_again(place: Place, planned: dict[str, list[str]]) -> None:
    """A damaged day of the published file is mended by it, and only by it."""
    before = with_world(place).build("before")
    with duckdb.connect(before) as connection:
        connection.execute("delete from marts.interactions_daily where listen_date = '2026-01-12' and track_id = 't3'")
        connection.execute("insert into marts.track_daily from marts.track_daily where listen_date = '2026-01-11'")
    span = (date(2026, 1, 11), date(2026, 1, 12))
    mended = place.build("mended", previous=before, backfill=span)

    assert planned == dict.fromkeys(DAY_GRAIN, ["2026-01-11", "2026-01-12"])
    assert differences(mended, place.build("full")) == {}


def test_a_chain_of_nights_equals_one_build(place: Place) -> None:
    """Night by night with everything that may happen, each on the last one's file."""
    last = with_world(place).build("night0", as_of=date(2026, 1, 5))
    for n, change in enumerate((late_rows, changed_duration, new_day, described_stub), start=1):
        change(place)
        last = place.build(f"night{n}", as_of=date(2026, 1, 5) + timedelta(days=5 * n), previous=last)

    assert differences(last, place.build("full", as_of=date(2026, 1, 25))) == {}


@pytest.mark.parametrize(
    ("file", "still_incremental"),
    [
        ("marts/interactions_daily.sql", set()),
        ("intermediate/judged_listens.sql", set()),
        ("marts/track_daily.sql", {"marts.interactions_daily"}),
    ],
)
def test_a_changed_query_is_built_from_nothing(
    place: Place, planned: dict[str, list[str]], tmp_path: Path, file: str, still_incremental: set[str]
) -> None:
    """And so is every table above it."""
    before = with_world(place).build("before")
    sql = tmp_path / "sql"
    shutil.copytree(SQL_FOLDER, sql)
    text = (sql / file).read_text()
    for old, new in (("- 0.25 * n_skips", "- 0.5 * n_skips"), (">= 30000", ">= 70000"), ("n_plays > 0", "n_plays > 1")):
        text = text.replace(old, new)
    (sql / file).write_text(text)
    changed = place.build("changed", previous=before, sql=sql)

    assert planned.keys() == still_incremental
    assert differences(changed, place.build("full", sql=sql)) == {}
    assert differences(changed, before) != {}


def test_a_batch_that_left_the_lake_leaves_the_marts(place: Place, planned: dict[str, list[str]]) -> None:
    """A lake restored from a copy is read from nothing."""
    shutil.copytree(with_world(place).home.lake, place.folder / "copy")
    late_rows(place)
    before = place.build("before")
    shutil.rmtree(place.home.lake)
    (place.folder / "copy").rename(place.home.lake)
    restored = place.build("restored", previous=before)

    assert planned == FULL
    assert differences(restored, place.build("full")) == {}


def test_an_ingest_cut_short_is_finished_before_the_build(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or else the ledger would name a batch whose days the next build passes over for ever."""
    with_world(place)
    with monkeypatch.context() as patch:
        patch.setattr("recsys.lake.Lake._move_into_place", _cut)
        with pytest.raises(KeyboardInterrupt):
            new_day(place)
    path = place.build("w")

    assert rows(path, "select sum(n_listens)::bigint from marts.interactions_daily") == [(7,)]
    assert AS_OF > date(2026, 1, 20)


def _cut(*_: object) -> None:
    raise KeyboardInterrupt
