"""Invalid rows among valid ones: added rows are counted, and valid rows stay unchanged."""

import numpy as np
import polars as pl

from recsys.demo.invalid_rows import BROKEN_JSON, DUPLICATE, TOO_MANY_FIELDS, add_invalid_lines, add_invalid_rows

LABELS = pl.DataFrame(
    {"label_id": [f"lb_{n}" for n in range(9)], "name": "North", "label_type": "major", "country": "DE"}
)


def _lines(frame: pl.DataFrame) -> list[bytes]:
    return frame.write_csv(include_header=False).encode().splitlines(keepends=True)


def test_valid_rows_stay_unchanged() -> None:
    """All valid lines are in the result, and all other lines are counted as invalid."""
    valid = _lines(LABELS)

    lines, counts = add_invalid_lines(LABELS, "labels", _lines, np.random.default_rng(1), is_csv=True)

    assert len(lines) == len(valid) + sum(counts.values())
    assert set(valid) <= set(lines)


def test_counts_by_fault_agree_with_the_lines() -> None:
    """Each fault occurs in as many lines as reported."""
    lines, counts = add_invalid_lines(LABELS, "labels", _lines, np.random.default_rng(1), is_csv=True)

    assert sum(b"enormous" in line for line in lines) == counts["unknown_label_type"]
    assert sum(line.endswith(b",surplus,fields\n") for line in lines) == counts[TOO_MANY_FIELDS]
    assert len(lines) - len(set(lines)) == counts[DUPLICATE]


def test_a_malformed_json_line_ends_too_early() -> None:
    """In JSON, malformed lines are truncated; none has surplus fields."""
    _, counts = add_invalid_lines(LABELS, "labels", _lines, np.random.default_rng(1), is_csv=False)

    assert counts[BROKEN_JSON] == 2
    assert TOO_MANY_FIELDS not in counts


def test_a_typed_table_gets_only_faults_that_its_types_hold() -> None:
    """No text is put into a number column; a future time in seconds is a number."""
    log = pl.DataFrame(
        {
            "user_id": ["acct_1", "acct_2"],
            "track_id": ["trk_1", "trk_2"],
            "listened_at": [1_780_000_000, 1_780_000_900],
            "ms_played": [180_000, 30_000],
            "utc_offset_min": [60, None],
        }
    )

    extended, counts = add_invalid_rows(log, "listens", np.random.default_rng(1))

    assert extended.schema == log.schema
    assert {"unparsable_time", "unparsable_number"}.isdisjoint(counts)
    assert extended.filter(pl.col("listened_at") == 4_070_908_800).height == counts["time_in_the_future"]
