"""Loyalty: what a listener had played of a label before a period, counted again from the plays themselves."""

import random
from datetime import date, timedelta

import polars as pl
import pytest

from recsys.ledger.close import Closing, close
from recsys.ledger.lines import Lines
from recsys.ledger.loyalty import NO_DAYS, with_loyalty

from .worlds import MONDAY, SETTINGS, Row, World, catalogue, close_day, frame, listeners

START = MONDAY - timedelta(days=70)  # first day of the log


def days_of(rows: list[Row], labels: dict[str, str | None]) -> pl.LazyFrame:
    """Return the days on which each listener played each label."""
    days = {(label, row.user, row.day) for row in rows if (label := labels[row.track]) is not None}
    return pl.LazyFrame(sorted(days), NO_DAYS.collect_schema(), orient="row")


def loyalty_on(day: date, *earlier: date, start: date = START) -> str:
    """Return what a listener is in a period that begins on a day, after plays on earlier days."""
    days = [("one", "u1", played) for played in (*earlier, day)] + [("one", "first", start), ("two", "u1", start)]
    rows = pl.DataFrame({"label_id": ["one"], "user_id": ["u1"], "from_day": [day]})
    found = with_loyalty(rows, pl.LazyFrame(days, NO_DAYS.collect_schema(), orient="row"))
    return str(found["loyalty"].item())


@pytest.mark.parametrize(
    ("days_before", "expected"), [((), "new"), ((28,), "returning"), ((1, 60), "returning"), ((29,), "back")]
)
def test_the_last_play_before_a_period_decides(days_before: tuple[int, ...], expected: str) -> None:
    """Plays of the period itself, and of another label, do not count."""
    assert loyalty_on(MONDAY, *(MONDAY - timedelta(days=n) for n in days_before)) == expected


@pytest.mark.parametrize(("n_days", "expected"), [(55, "unknown"), (56, "new")])
def test_nobody_is_new_in_the_first_weeks_of_a_log(n_days: int, expected: str) -> None:
    """Who played before the log began is not known; who has played since then comes back."""
    start = MONDAY - timedelta(days=n_days)

    assert loyalty_on(MONDAY, start=start) == expected
    assert loyalty_on(MONDAY, MONDAY - timedelta(days=3), start=start) == "returning"


def test_without_days_everyone_is_unknown() -> None:
    """The cell is the total of its week."""
    world = World(random.Random(4))
    for day_no in range(9):
        world.next_day(day_no)
    lines = close_day(world, Lines.of({}), 8).figures.filter(measure="n_plays")

    weeks = lines.filter(dimension="week").select("label_id", "value")
    assert weeks.height > 0
    assert lines.filter(dimension="loyalty").select("label_id", "value").equals(weeks)
    assert set(lines.filter(dimension="loyalty")["cell"]) == {"unknown"}


def test_a_ledger_of_an_older_version_goes_on() -> None:
    """Weeks that were closed before loyalty was counted get none later; weeks that end afterwards do."""
    world, old = World(random.Random(6)), Lines.of({})
    for day_no in range(16):
        world.next_day(day_no)
        old += close_day(world, old, day_no)
    known = Lines(old.figures.filter(pl.col("dimension") != "loyalty"), old.tracks, old.closings, old.voids)
    for day_no in range(16, 23):
        world.next_day(day_no)
        known += close_day(world, known, day_no)

    on_time = known.figures.filter(~pl.col("is_late"), measure="n_plays")
    weeks = on_time.filter(pl.col("closing_no") > old.closings.height, dimension="week").select(
        "label_id", "to_day", "value"
    )
    shown = on_time.filter(dimension="loyalty").group_by("label_id", "to_day").agg(pl.col("value").sum())
    assert weeks.height > 0
    assert shown.sort(shown.columns).equals(weeks.sort(weeks.columns))


def test_lines_are_those_of_the_plays() -> None:
    """Plays and listeners of each named cell, for the weeks that one closing of a whole log finds; they add up."""
    rng = random.Random(8)
    labels: dict[str, str | None] = {"t0": "one", "t1": "one", "t3": "two", "t4": None}
    rows = [
        Row(f"u{rng.randrange(min(120, 12 + 2 * day))}", rng.choice(sorted(labels)), START + timedelta(days=day), 1, 1)
        for day in range(91)
        for _ in range(6)
    ]
    closing = Closing(1, "run", START + timedelta(days=91), 1, SETTINGS)
    lines = close(
        frame(rows).lazy(),
        catalogue(labels),
        listeners(120),
        Lines.of({}),
        closing,
        days_of_listeners=days_of(rows, labels),
    ).figures

    shown = lines.filter(pl.col("dimension") == "loyalty")
    assert set(shown["cell"]) == {"new", "returning", "back", "unknown", None}
    for row in shown.drop_nulls("cell").iter_rows(named=True):
        own = [play for play in rows if labels[play.track] == row["label_id"]]
        cell = [
            play
            for play in own
            if row["from_day"] <= play.day <= row["to_day"]
            and _loyalty([other.day for other in own if other.user == play.user], row["from_day"]) == row["cell"]
        ]
        listeners_of_cell = len({play.user for play in cell})
        assert row["value"] == (len(cell) if row["measure"] == "n_plays" else listeners_of_cell)
        assert listeners_of_cell >= SETTINGS.min_listeners
    keys = ["label_id", "to_day", "measure"]
    totals = lines.filter(dimension="week").filter(pl.col("measure").is_in(["n_plays", "n_listeners"]))
    sums = shown.group_by(keys).agg(pl.col("value").sum()).sort(keys)
    assert sums.equals(totals.select(*keys, "value").sort(keys))


def _loyalty(days: list[date], first: date) -> str:
    before = [day for day in days if day < first]
    if not before:
        return "new" if first - START >= timedelta(days=56) else "unknown"
    return "returning" if first - max(before) <= timedelta(days=28) else "back"
