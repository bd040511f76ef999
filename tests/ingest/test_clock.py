"""The market time zone: it defines the day of an event in the lake, in the marts and in training data."""

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

TODAY = date(2026, 1, 31)
LISTENS = (
    "user_id,track_id,listened_at\n"
    "ann,t1,2026-01-30T07:59:59Z\n"  # the day before in Los Angeles
    "bob,t1,2026-01-30T08:00:00Z\n"
    "cyd,t1,2026-01-31T07:59:59Z\n"  # the last second of 30 January there
    "dan,t1,2026-02-01T07:59:59Z\n"  # the last second before the future there
    "eve,t1,2026-02-01T08:00:00Z\n"
)


@pytest.fixture
def listens(tmp_path: Path) -> Path:
    """Return a file of listens around two midnights, one of them in the future."""
    (tmp_path / "listens.csv").write_text(LISTENS)
    return tmp_path / "listens.csv"


@pytest.fixture
def lake(tmp_path: Path, listens: Path) -> Lake:
    """Return a lake with the time zone of Los Angeles."""
    home = Home(tmp_path / "home")
    Lake(home).set_zone("America/Los_Angeles")
    ingest(home, [listens], today=TODAY)
    return Lake(home)


def test_days_end_at_midnight_in_the_market_time_zone(lake: Lake) -> None:
    """The day of a listen, and the start of the future, follow the market time zone and not UTC."""
    (batch,) = lake.batches()

    assert batch.days == ["2026-01-29", "2026-01-30", "2026-01-31"]
    assert (batch.n_accepted, batch.n_quarantined) == (4, 1)


def test_marts_and_ages_use_the_market_time_zone(lake: Lake, tmp_path: Path) -> None:
    """So do ages for time decay: age 0 is the midnight that ends the market's day."""
    path = tmp_path / "warehouse.duckdb"
    build(path, Sources(lake, as_of=date(2026, 1, 30), results=result_tables()))
    with Warehouse.open(path) as warehouse:
        days = warehouse.query("select listen_date, n_plays from marts.track_daily order by 1").rows()
        ages = Interactions.read(warehouse, until=date(2026, 1, 30)).age_days.data

    assert days == [(date(2026, 1, 29), 1), (date(2026, 1, 30), 2)]
    assert sorted(age * 86_400 for age in ages) == pytest.approx([1, 86_400, 86_401], abs=0.01)


def test_the_same_rows_again_change_nothing(lake: Lake, tmp_path: Path) -> None:
    """Duplicates are looked up in the partitions of the market's days."""
    (tmp_path / "again.csv").write_text(LISTENS + "fay,t1,2026-01-30T07:59:59Z\n")

    (batch,) = ingest(Home(tmp_path / "home"), [tmp_path / "again.csv"], today=TODAY).batches

    assert batch.n_accepted == 1
    assert batch.n_duplicate == 4


def test_a_lake_keeps_its_time_zone(lake: Lake, tmp_path: Path) -> None:
    """Days in two time zones would not add up: another zone is refused, the same one is accepted, and it is stored."""
    lake.set_zone("America/Los_Angeles")
    with pytest.raises(InputError, match=r"has the time zone America/Los_Angeles, and Europe/Berlin was requested"):
        lake.set_zone("Europe/Berlin")

    assert Lake(Home(tmp_path / "home")).zone.key == "America/Los_Angeles"


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", ""])
def test_an_unknown_time_zone_is_refused(tmp_path: Path, name: str) -> None:
    """Nothing is written."""
    with pytest.raises(InputError, match="Give a name of the IANA time zone database"):
        Lake(Home(tmp_path / "home")).set_zone(name)

    assert not (tmp_path / "home").exists()


def test_the_first_ingest_sets_the_time_zone(tmp_path: Path, listens: Path) -> None:
    """It is an option, which later ingests may leave out."""
    command = ["--home", str(tmp_path / "home"), "ingest", str(listens)]

    first = CliRunner().invoke(main, [*command, "--time-zone", "Asia/Tokyo"])
    other = CliRunner().invoke(main, [*command, "--time-zone", "UTC"])

    assert first.exit_code == 0
    assert Lake(Home(tmp_path / "home")).zone.key == "Asia/Tokyo"
    assert other.exit_code == 2
