"""What the lists of a run show of a label: counted by hand, under the test of listeners."""

import math
import random
from datetime import date

import polars as pl

from recsys.ledger.shown import NO_LISTS, lines_of_lists

from .worlds import MONDAY, SETTINGS, catalogue

LABELS: dict[str, str | None] = {"t0": "one", "t1": "one", "t2": "two", "t3": None}


def weeks(*labels: str) -> pl.DataFrame:
    """Return two closed weeks of each label."""
    days = [(MONDAY, MONDAY.replace(day=8)), (MONDAY.replace(day=9), MONDAY.replace(day=15))]
    rows = [(label, *period) for label in labels for period in days]
    schema = {"label_id": pl.String, "from_day": pl.Date, "to_day": pl.Date}
    return pl.DataFrame(rows, schema, orient="row")


def lists(*rows: tuple[str, str, int]) -> pl.DataFrame:
    """Return lists: listener, recording, rank."""
    return pl.DataFrame(rows, NO_LISTS.schema, orient="row")


def shown(table: pl.DataFrame, closed: pl.DataFrame) -> dict[tuple[str, str], tuple[date, int]]:
    """Return label and measure -> first day of the week, value."""
    lines = lines_of_lists(table, catalogue(LABELS), closed, SETTINGS)
    return {(row["label_id"], row["measure"]): (row["from_day"], row["value"]) for row in lines.iter_rows(named=True)}


def test_lines_are_those_of_the_lists() -> None:
    """In the last closed week; a listener with two recordings of the label counts once."""
    rng = random.Random(3)
    table = [(f"u{n}", track, rank) for n in range(40) for rank, track in enumerate(rng.sample(sorted(LABELS), 3), 1)]
    own = [(user, rank) for user, track, rank in table if LABELS[track] == "one"]

    found = shown(lists(*table), weeks("one"))

    assert found == {
        ("one", "n_shown"): (MONDAY.replace(day=9), len({user for user, _ in own})),
        ("one", "exposure"): (MONDAY.replace(day=9), round(sum(1 / math.log2(1 + rank) for _, rank in own))),
    }


def test_few_listeners_have_no_line() -> None:
    """Two of them, or three of whom two have most of the positions; and no lists, or no closed week."""
    two = [("u1", "t0", 1), ("u2", "t0", 1)]
    dominated = [*two, ("u1", "t1", 2), ("u2", "t1", 2), ("u3", "t0", 500)]
    three = [*two, ("u3", "t0", 1)]

    assert shown(lists(*two), weeks("one")) == shown(lists(*dominated), weeks("one")) == {}
    assert shown(NO_LISTS, weeks("one")) == shown(lists(*three), weeks()) == {}
    assert set(shown(lists(*three), weeks("one", "two"))) == {("one", "n_shown"), ("one", "exposure")}
