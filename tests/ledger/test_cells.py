"""The disclosure test, and partitions whose every cell passes it."""

import polars as pl

from recsys.ledger.cells import partition, summed
from recsys.ledger.settings import LabelSettings

SETTINGS = LabelSettings(min_listeners=3, max_top_two=0.8)
KEYS = ["label_id"]


def rows(**cells: dict[str, int]) -> pl.DataFrame:
    """Return the rows of one label: cell -> listener -> value; the cell 'none' is null."""
    values = [
        ("one", None if cell == "none" else cell, user, value)
        for cell, users in cells.items()
        for user, value in users.items()
    ]
    schema = {"label_id": pl.String, "cell": pl.String, "user_id": pl.String, "value": pl.Int64}
    return pl.DataFrame(values, schema, orient="row")


def cells_of(table: pl.DataFrame) -> dict[str | None, tuple[int, int]]:
    """Return cell -> listeners and value of a partition."""
    return {row["cell"]: (row["n_listeners"], row["value"]) for row in partition(table, KEYS, SETTINGS).to_dicts()}


def test_cells_that_pass_are_named() -> None:
    """Each has three listeners, and no two of them most of the plays."""
    table = rows(a=dict.fromkeys("uvw", 2), b=dict.fromkeys("wxy", 1))

    assert cells_of(table) == {"a": (3, 6), "b": (3, 3)}


def test_small_cells_are_merged() -> None:
    """Two cells of two listeners each, who are three together."""
    table = rows(a=dict.fromkeys("uvw", 2), b={"x": 1, "y": 1}, c={"x": 1, "z": 1})

    assert cells_of(table) == {"a": (3, 6), None: (3, 4)}


def test_a_cell_that_would_stand_alone_takes_the_smallest_other_with_it() -> None:
    """Otherwise the total minus the named cells would give it away."""
    table = rows(a=dict.fromkeys("uvwx", 2), b=dict.fromkeys("uvw", 2), c={"y": 1})

    assert cells_of(table) == {"a": (4, 8), None: (4, 7)}


def test_a_cell_that_two_listeners_dominate_is_merged() -> None:
    """Four listeners, two of whom play 90 %."""
    table = rows(a={"u": 50, "v": 40, "w": 5, "x": 5}, b=dict.fromkeys("uvwxyz", 20))

    assert cells_of(table) == {None: (6, 220)}


def test_without_a_cell_of_its_own_a_row_is_among_the_others() -> None:
    """A recording without an artist."""
    table = rows(a=dict.fromkeys("uvw", 2), none=dict.fromkeys("uvw", 1))

    assert cells_of(table) == {"a": (3, 6), None: (3, 3)}


def test_a_listener_of_several_rows_counts_once() -> None:
    """The two greatest are listeners, not rows."""
    table = pl.concat([rows(a={"u": 3, "v": 1}), rows(a={"u": 3, "w": 1})])

    assert summed(table, ["cell"]).rows() == [("a", 3, 7, 8)]


def test_nothing_gives_nothing() -> None:
    """No rows, no cells."""
    assert partition(rows(), KEYS, SETTINGS).is_empty()
