"""Rows that are older than the limits of the recipe: they leave the lake, and builds are those of the kept rows."""

import random
import shutil
from collections.abc import Collection
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys import files
from recsys.columns import schema
from recsys.errors import BadRecipe, BrokenCheck
from recsys.home import Home
from recsys.ingest.quarantine import count_refused
from recsys.ingest.retention import Expired, remove_expired
from recsys.ingest.run import ingest
from recsys.ingest.settings import RetentionSettings
from recsys.ingest.undo import undo
from recsys.lake.store import Batch, Lake
from recsys.ledger.lines import CLOSINGS_COLUMNS, Lines
from recsys.ledger.settings import LabelSettings
from recsys.ledger.store import Ledger
from recsys.pipeline.doctor import run_checks
from recsys.recipe import Recipe

from .conftest import LISTENS, TODAY, WORLD, Place, place_in, rows, with_world
from .test_incremental import DAY_GRAIN, READ, differences

OF_FILES = {"column_drift", "data_quality", "invalid_values", "source_volumes"}  # marts about files, not their rows
FIRST = date(2026, 1, 9)  # the first day that is kept with a limit of 28 days on LAST
LAST = date(2026, 2, 5)


class Killed(BaseException):
    """The end of a process, which no code handles."""


def expire(place: Place, last_day: date = LAST, *, listens: int = 28, events: int = 28) -> Expired:
    """Remove the rows that are older than some numbers of days on a day."""
    return remove_expired(Lake(place.home), RetentionSettings(listens, events), last_day)


def entry_of(place: Place, file: str) -> Batch:
    """Return the entry of a file in the batch log."""
    return next(entry for entry in Lake(place.home).batch_log() if entry.source_file == file)


def lake_files(home: Home) -> dict[str, str]:
    """Return the checksum of every file of the lake that is not temporary."""
    found = (path for path in home.lake.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(home.lake)): files.sha256_of(path) for path in found}


def random_lines(seed: int) -> dict[str, list[str]]:
    """Return lines of listens and events of January and February 2026, sorted by day, without two of the same key."""
    rng, listens, events = random.Random(seed), dict[str, str](), dict[str, str]()
    for _ in range(150):
        day = date(2026, 1, 1) + timedelta(days=rng.randrange(50))
        key = f"{day}T{rng.randrange(24):02}:00:00Z,{rng.choice(['ann', 'bob', 'gus'])},t{rng.randrange(5)}"
        listens[key] = f"{key},{rng.choice([4000, 190000])}"
        events[key] = f"{key},{rng.choice(['like', 'save', 'share'])}"
    return {"listens": sorted(listens.values()), "events": sorted(events.values())}


def csv_of(table: str, lines: list[str], since: str = "") -> str:
    """Return a CSV text of the lines from a day on, which they begin with."""
    columns = {"listens": "listened_at,user_id,track_id,ms_played", "events": "event_at,user_id,track_id,event"}
    return "\n".join([columns[table], *(line for line in lines if line >= since)]) + "\n"


def home_of_kept_rows(folder: Path, key: Path, lines: dict[str, list[str]], first_days: dict[str, str]) -> Place:
    """Ingest the world and only the lines from a day on, by table, into another home with the same listener key."""
    kept = place_in(folder)
    kept.home.path.mkdir(parents=True)
    shutil.copy2(key, kept.home.path)
    for name, content in WORLD.items():
        if not first_days.get(name):  # every listen and event of the world is older
            kept.take(f"{name}.csv", content)
    for name, of_table in lines.items():
        kept.take(f"{name}_2.csv", csv_of(name, of_table, first_days.get(name, "")))
    return kept


@pytest.mark.parametrize(
    ("seed", "listens", "events", "only"),
    [
        (3, 30, 35, READ),
        pytest.param(2, 0, 28, READ, marks=pytest.mark.slow),
        pytest.param(1, 28, 0, (), marks=pytest.mark.slow),
    ],
)
def test_a_build_after_removals_is_the_build_of_the_kept_rows(
    tmp_path: Path, planned: dict[str, list[str]], *, seed: int, listens: int, events: int, only: Collection[str]
) -> None:
    """Ingested alone into another home; also incrementally, while the first day that is kept moves on."""
    place, lines, last_day = with_world(place_in(tmp_path)), random_lines(seed), date(2026, 2, 20)
    for name, of_table in lines.items():
        place.take(f"{name}_2.csv", csv_of(name, of_table))
    built = place.build("before", as_of=last_day - timedelta(days=2), only=READ)
    for day in (last_day - timedelta(days=2), last_day):
        expire(place, day, listens=listens, events=events)
        built = place.build(str(day), as_of=day, previous=built, only=READ)
        assert set(planned) == DAY_GRAIN
    limits = {"listens": listens, "events": events}
    first_days = {name: str(last_day - timedelta(days=days - 1)) for name, days in limits.items() if days}
    kept = home_of_kept_rows(tmp_path / "kept", place.home.key_file, lines, first_days)
    alone = kept.build("alone", as_of=last_day, only=only)

    assert differences(built, place.build("complete", as_of=last_day, only=READ)) == {}
    assert differences(place.build("all", as_of=last_day, only=only), alone).keys() <= OF_FILES
    assert len(rows(alone, "select * from marts.interactions_daily")) > 60
    Lake(place.home).verify()


def test_only_days_that_are_no_longer_kept_are_computed_again(
    grown: Place, built: Path, planned: dict[str, list[str]]
) -> None:
    """Events of these days stay, if only listens have a limit."""
    expire(grown, events=0)
    after = grown.build("after", previous=built, only=READ)

    columns = "select listen_date, n_listens, n_likes + n_saves from marts.interactions_daily"
    assert planned["marts.interactions_daily"] == ["2026-01-01", "2026-01-05", "2026-01-06"]
    assert sorted(rows(after, f"{columns} where listen_date < '2026-01-09'")) == [
        (date(2026, 1, 1), 0, 1),
        (date(2026, 1, 6), 0, 1),
    ]
    grown.build("again", previous=after, only=READ)
    assert planned["marts.interactions_daily"] == []


def test_a_lake_from_a_backup_that_keeps_more_is_built_anew(
    grown: Place, planned: dict[str, list[str]], tmp_path: Path
) -> None:
    """The days that came back are in no published table."""
    shutil.copytree(grown.home.lake, tmp_path / "backup")
    expire(grown)
    published = grown.build("published", only=READ)
    shutil.rmtree(grown.home.lake)
    shutil.copytree(tmp_path / "backup", grown.home.lake)
    restored = grown.build("restored", previous=published, only=READ)

    assert planned == {}
    assert len(rows(restored, "select * from marts.interactions_daily")) == 7


def test_a_removal_is_counted_by_file(grown: Place) -> None:
    """In the batch log, and in the mart of data quality; the lake agrees with its log."""
    expired, entry = expire(grown), entry_of(grown, "listens.csv")
    built = grown.build("built", only=READ)

    assert expired == Expired({"listens": FIRST, "events": FIRST}, 5, 0)
    assert (entry.n_read, entry.n_accepted, entry.n_expired, entry.days) == (6, 3, 3, ["2026-01-11", "2026-01-12"])
    assert {path.parent.name for path in grown.home.lake.glob("listens/*/*")} == {"ds=2026-01-11", "ds=2026-01-12"}
    assert set(entry.checksums) == {f"listens/ds={day}/{entry.batch}.parquet" for day in entry.days}
    outcomes = "select outcome, n_rows from marts.data_quality where source_file = 'listens.csv' order by outcome"
    assert rows(built, outcomes) == [("accepted", 3), ("expired", 3)]
    Lake(grown.home).verify()


@pytest.mark.parametrize(("last_day", "n_rows"), [(date(2026, 1, 28), 0), (date(2027, 1, 1), 8)])
def test_nothing_or_everything_is_older(grown: Place, last_day: date, n_rows: int) -> None:
    """Rows of reference tables stay. A home without any listen is not built, as ever."""
    before = lake_files(grown.home)
    expired = expire(grown, last_day)

    gone = {name.split("/")[0] for name in before.keys() - lake_files(grown.home).keys()}
    assert (expired.n_rows, gone) == (n_rows, {"listens", "events"} if n_rows else set())
    with pytest.raises(BrokenCheck, match=r"staging\.listens: 0 rows") if n_rows else nullcontext():
        built = grown.build("built", as_of=last_day, only=READ)
        assert len(rows(built, "select * from marts.interactions_daily")) == 7


def test_a_home_without_limits_or_rows_stays_as_it_is(grown: Place, tmp_path: Path) -> None:
    """Without limits, nothing is written; an empty home notes the first day only."""
    before = lake_files(grown.home)
    assert expire(grown, listens=0, events=0) == Expired({}, 0, 0)
    assert lake_files(grown.home) == before

    empty = place_in(tmp_path / "empty")
    assert expire(empty, events=0) == Expired({"listens": FIRST}, 0, 0)
    assert set(lake_files(empty.home)) == {"_retention.json"}


def test_removed_days_never_come_back(grown: Place) -> None:
    """Rows that are delivered again are in no build, also before they are removed, also without the limit."""
    expire(grown)
    grown.take("again.csv", LISTENS.replace(",200000", ",210000"))
    waiting = grown.build("waiting", only=READ)
    (retention,) = (check.found for check in run_checks(grown.home) if check.name == "retention")
    expired = expire(grown, LAST - timedelta(days=9), listens=0, events=400)
    removed = grown.build("removed", only=READ)

    oldest = "select min(listen_date) from marts.interactions_daily"
    assert rows(waiting, oldest) == rows(removed, oldest) == [(date(2026, 1, 11),)]
    assert retention.startswith(
        "events from 2026-01-09, listens from 2026-01-09; 2 older files are removed by the next"
    )
    assert expired == Expired({"listens": FIRST, "events": FIRST}, 3, 0)
    assert entry_of(grown, "again.csv").n_expired == 3


def test_refused_rows_are_kept_as_long_from_the_day_of_their_refusal(grown: Place) -> None:
    """Only those of tables with a limit."""
    (grown.folder / "bad.csv").write_text("user_id,track_id,listened_at\nbob,,2026-01-03T10:00:00Z\n")
    (grown.folder / "bad_track.csv").write_text("track_id,title,artist_id\n,One,ar1\n")
    ingest(grown.home, [grown.folder / "bad.csv", grown.folder / "bad_track.csv"], today=FIRST)
    assert expire(grown).n_refused == 0
    assert expire(grown, LAST + timedelta(days=1)).n_refused == 1

    entry = entry_of(grown, "bad.csv")
    assert (entry.n_read, entry.n_quarantined, entry.n_dropped) == (1, 0, 1)
    assert count_refused(Lake(grown.home))["source_file"].to_list() == ["bad_track.csv"]
    grown.build("built", only=READ)


def test_keys_of_rows_that_were_taken_back_are_removed(grown: Place) -> None:
    """They name listeners too; rows that return on kept days still get the number of the batch that was counted."""
    closing = pl.DataFrame([(1, "run", LAST, LAST, 99, 20, False)], schema(CLOSINGS_COLUMNS), orient="row")
    Ledger(grown.home).append("close", Lines.of({"label_closings": closing}))
    former = entry_of(grown, "listens.csv")
    undo(grown.home, former.batch, today=TODAY)
    assert len(list(grown.home.lake.glob("_undone/listens/*/*"))) == 4

    assert expire(grown, events=0).n_rows == 0
    assert {path.parent.name for path in grown.home.lake.glob("_undone/*/*/*")} == {"ds=2026-01-11", "ds=2026-01-12"}
    assert entry_of(grown, "listens.csv").days == ["2026-01-11", "2026-01-12"]
    grown.take("listens.csv", LISTENS)
    assert expire(grown, events=0).n_rows == 3
    assert Lake(grown.home).rows("listens").collect()["batch_no"].to_list() == [former.batch_no] * 3
    Lake(grown.home).verify()


def test_a_file_is_taken_back_after_some_of_its_days(grown: Place) -> None:
    """What is left of it leaves the lake."""
    grown.take("more.csv", "user_id,track_id,listened_at\nann,t9,2026-01-20T12:00:00Z\n")
    expire(grown)
    undo(grown.home, entry_of(grown, "listens.csv").batch, today=TODAY)
    built = grown.build("built", only=READ)

    assert [path.parent.name for path in grown.home.lake.glob("listens/*/*")] == ["ds=2026-01-20"]
    assert rows(built, "select outcome, n_rows from marts.data_quality where source_file = 'listens.csv'") == [
        ("undone", 6)
    ]


def test_an_interrupted_removal_is_finished_by_the_next(
    world: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at each write in turn, the next one leaves the same lake; in between, the lake agrees with its log."""
    whole = Place(Home(shutil.copytree(world.home.path, tmp_path / "whole")), tmp_path)
    expire(whole)
    sync, n_kills = files.sync, 0
    while True:
        place = Place(Home(shutil.copytree(world.home.path, tmp_path / f"home_{n_kills}")), tmp_path)
        n_left = n_kills

        def dying_sync(path: Path) -> None:
            nonlocal n_left
            if n_left == 0:
                raise Killed
            n_left -= 1
            sync(path)

        monkeypatch.setattr(files, "sync", dying_sync)
        try:
            expire(place)
            break
        except Killed:
            monkeypatch.setattr(files, "sync", sync)
        Lake(place.home).verify()
        expire(place)
        assert lake_files(place.home) == lake_files(whole.home)
        n_kills += 1

    assert n_kills > 10


def test_too_few_days_are_refused() -> None:
    """A week of labels' figures must be closed before its rows are removed."""
    with pytest.raises(
        BadRecipe, match=r"\[retention\] listens_days: found 27, expected 0 \(keep all\) or at least 28"
    ):
        RetentionSettings(27)
    with pytest.raises(BadRecipe, match=r"\[retention\] events_days: found 30, expected 0 \(keep all\) or at least 54"):
        Recipe("als", (), {}, retention=RetentionSettings(60, 30), labels=LabelSettings(close_days=40))
    assert RetentionSettings(10**9).first_days(LAST) == {"listens": date.min}
