"""Counts of other channels that rise, on the page Breakouts: the table is there, for whom it should be."""

import polars as pl
import pytest

from .conftest import Open
from .walk import Walk


@pytest.mark.parametrize("is_label", [False, True])
def test_rises_stand_on_the_page(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, label_id: str, *, is_label: bool
) -> None:
    """An operator sees plays beside them; a label only the public counts."""
    walk = Walk(monkeypatch)
    rising = walk.read(open_page("breakouts", label=label_id if is_label else None), "breakouts").rows["rising_signals"]

    assert rising.height > 0
    assert rising["n_plays"].null_count() == (rising.height if is_label else 0)
    assert rising.filter(pl.col("value_per_day") < 2 * pl.col("usual_per_day")).is_empty()
