"""What an operator may do to the ledger: withhold a period, and start anew after a loss."""

import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError, UnknownIds
from recsys.home import Home
from recsys.ledger.amend import start_anew, void_period
from recsys.ledger.lines import published
from recsys.ledger.store import Ledger

from .worlds import MONDAY, Row, World, close_day

WEEK = (MONDAY, MONDAY + timedelta(days=6))


@pytest.fixture
def world() -> World:
    """Return a world in which 16 days have arrived."""
    world = World(random.Random(5))
    for day_no in range(16):
        world.next_day(day_no)
    return world


@pytest.fixture
def home(tmp_path: Path, world: World) -> Home:
    """Return a home whose ledger was closed once."""
    home = Home(tmp_path)
    Ledger(home).append("run-15", close_day(world, Ledger(home).read(), 15))
    return home


def test_a_voided_period_has_no_values(home: Home) -> None:
    """All lines that overlap it are withheld, of this label alone; the ledger itself keeps them."""
    n_lines = void_period(home, "one", *WEEK)

    lines = Ledger(home).read()
    shown = published(lines)
    withheld = shown.filter("is_withheld")
    assert withheld.height == n_lines > 0
    assert withheld["value"].null_count() == n_lines
    assert withheld["label_id"].unique().to_list() == ["one"]
    overlapping = lines.figures.filter(label_id="one").rows(named=True)
    assert n_lines == sum(row["from_day"] <= WEEK[1] and row["to_day"] >= WEEK[0] for row in overlapping)


def test_a_voided_period_never_gets_second_values(home: Home, world: World) -> None:
    """Late plays of its first day count for other labels only, neither for its week nor with all late rows."""
    void_period(home, "one", *WEEK)
    before = Ledger(home).read()
    for track, label in world.labels.items():
        if label is not None:
            world.rows += [Row(f"u{n}", track, MONDAY, 17, 1) for n in range(world.n_users)]
    late = close_day(world, before, 16).figures.filter("is_late", measure="n_plays")

    of_week = late.filter(pl.col("from_day") <= WEEK[1])
    assert set(of_week["label_id"]) == set(filter(None, world.labels.values())) - {"one"}


def test_wrong_voids_are_refused(home: Home) -> None:
    """An unknown label, and a period that ends before it begins."""
    with pytest.raises(UnknownIds, match="fuor"):
        void_period(home, "fuor", *WEEK)
    with pytest.raises(InputError, match="expected a last day that is not before the first"):
        void_period(home, "one", WEEK[1], WEEK[0])


def test_a_new_start_counts_nothing_of_before(home: Home, world: World) -> None:
    """It begins with the week after the last day of data; rows of earlier days are never counted, however late."""
    next(Ledger(home).folder.glob("000001-*/label_figures.parquet")).unlink()

    first_day, aside = start_anew(home, "run-15", MONDAY + timedelta(days=15), 16)

    assert (first_day, aside is not None) == (MONDAY + timedelta(days=21), True)
    for day_no in range(16, 36):
        world.next_day(day_no)
    new = close_day(world, Ledger(home).read(), 35)
    assert new.figures["from_day"].min() >= first_day  # type: ignore[operator]
    true = sum(row.plays for row in world.rows if row.day >= first_day and world.labels[row.track] == "one")
    days = new.figures.filter(label_id="one", dimension="day", measure="n_plays")
    last: date = days["to_day"].max()  # type: ignore[assignment]
    waiting = sum(row.plays for row in world.rows if row.day > last and world.labels[row.track] == "one")
    assert days["value"].sum() == true - waiting


def test_an_intact_ledger_is_not_started_anew(home: Home) -> None:
    """There is nothing to repair."""
    with pytest.raises(InputError, match="not damaged"):
        start_anew(home, "run-15", MONDAY, 16)
