"""Amounts divided in whole units."""

from fractions import Fraction
from math import floor

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.rights.apportion import apportion

_WEIGHTS = st.lists(st.integers(0, 10**12), min_size=1, max_size=8)


def divided(total: int, weights: dict[str, int], order: list[str]) -> dict[str, int]:
    """Divide a total over rows in a given order."""
    rows = pl.DataFrame(
        {"id": order, "weight": [weights[name] for name in order]}, {"id": pl.String, "weight": pl.Int64}
    )
    return dict(apportion(rows.with_columns(total=pl.lit(total, pl.Int64)), ["id"]).select("id", "amount").rows())


def by_hand(total: int, weights: dict[str, int]) -> dict[str, int]:
    """Divide a total by exact fractions: the definition of the largest remainder."""
    even = weights if sum(weights.values()) else dict.fromkeys(weights, 1)
    exact = {name: Fraction(total * weight, sum(even.values())) for name, weight in even.items()}
    parts = {name: floor(share) for name, share in exact.items()}
    first = sorted(exact, key=lambda name: (parts[name] - exact[name], name))
    for name in first[: total - sum(parts.values())]:
        parts[name] += 1
    return parts


@settings(max_examples=40, deadline=None)
@given(total=st.integers(0, 10**18), weights=_WEIGHTS, data=st.data())
def test_parts_add_up_whatever_the_order_of_rows(total: int, weights: list[int], data: st.DataObject) -> None:
    """Also of totals whose product with a weight exceeds 64 bits; each part is what exact fractions give."""
    named = {f"i{n}": weight for n, weight in enumerate(weights)}
    order = data.draw(st.permutations(list(named)))

    parts = divided(total, named, order)

    assert sum(parts.values()) == total
    assert parts == by_hand(total, named) == divided(total, named, list(named))


def test_groups_are_divided_on_their_own() -> None:
    """A group without weights is divided evenly; a null is an id like others."""
    rows = pl.DataFrame(
        [("a", "x", 1, 10), ("a", "y", 2, 10), ("b", None, 0, 3), ("b", "z", 0, 3)],
        ["group", "id", "weight", "total"],
        orient="row",
    )

    parts = apportion(rows, ["id"], within=["group"], into="cents")

    assert parts.rows() == [("a", "x", 3), ("a", "y", 7), ("b", None, 2), ("b", "z", 1)]


@pytest.mark.parametrize("total", [0, 1, 2])
def test_equal_remainders_are_given_by_id(total: int) -> None:
    """The first by id gets the first unit that is left."""
    assert divided(total, {"b": 1, "a": 1}, ["b", "a"]) == {"a": (total + 1) // 2, "b": total // 2}
