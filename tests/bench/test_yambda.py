"""The split of the protocol published with Yambda-5B: spans, gaps and what counts as a play."""

from pathlib import Path

import polars as pl
import pytest

from bench.options import Missing
from bench.recommenders.yambda import COLUMNS, DAY_S, GAP_S, demo_log, flat_file, split

END_S = 10 * DAY_S  # of the log
TEST_S, VALIDATION_S = END_S - DAY_S, END_S - 2 * DAY_S - GAP_S  # starts of the parts


def log(*timestamps: int, played_pct: int = 100) -> pl.DataFrame:
    """Plays of one recording each."""
    return pl.DataFrame(
        {
            "uid": 1,
            "item_id": range(len(timestamps)),
            "timestamp": timestamps,
            "is_organic": 1,
            "played_ratio_pct": played_pct,
        }
    )


def test_a_gap_before_each_part_is_left_out() -> None:
    """The first and the last second of each part are in it, those of the gaps are in none."""
    parts = {
        "train": [0, VALIDATION_S - GAP_S - 1],
        "validation": [VALIDATION_S, TEST_S - GAP_S - 1],
        "test": [TEST_S, END_S - 1],
    }
    in_gaps = [VALIDATION_S - GAP_S, VALIDATION_S - 1, TEST_S - GAP_S, TEST_S - 1]

    found = split(log(*parts["train"], *parts["validation"], *parts["test"], *in_gaps), DAY_S)

    assert {name: rows["timestamp"].to_list() for name, rows in found.items()} == parts


def test_a_play_counts_from_half_of_the_recording_on() -> None:
    """A shorter play is in no part, also not as the end of the log."""
    plays = pl.concat([log(0, END_S - 1, played_pct=50), log(5, 2 * END_S, played_pct=49)])

    found = split(plays, DAY_S)

    assert (found["train"]["timestamp"].to_list(), found["test"]["timestamp"].to_list()) == ([0], [END_S - 1])


def test_another_form_is_refused(tmp_path: Path) -> None:
    """The message names the missing columns; a file of the form is read."""
    log(1).write_parquet(tmp_path / "listens.parquet")
    log(1).drop("is_organic", "uid").write_parquet(tmp_path / "likes.parquet")

    assert flat_file(tmp_path / "listens.parquet").equals(log(1).select(COLUMNS))
    with pytest.raises(Missing, match=r"likes\.parquet: found no column uid, is_organic, expected the form"):
        flat_file(tmp_path / "likes.parquet")


def test_a_demo_world_has_the_form() -> None:
    """Times are in steps of five seconds; there are organic and recommended plays, and short ones."""
    plays = demo_log(0.04)

    assert plays.columns == list(COLUMNS)
    assert (plays["timestamp"] % 5 == 0).all()
    assert {0, 1} <= set(plays["is_organic"].drop_nulls()) <= {0, 1}
    assert 0.02 < plays.filter(pl.col("played_ratio_pct") < 50).height / plays.height < 0.9
