"""
Invalid rows, which the data contract refuses, and duplicate rows, inserted at random between the rows of a file.

Every invalid row is a copy of a valid row with one fault. Valid rows are not changed, so tests can count them.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

TOO_MANY_FIELDS = "too_many_fields"
BROKEN_JSON = "broken_json"
DUPLICATE = "duplicate"
FUTURE = "2099-01-01T00:00:00Z"
FUTURE_S = 4_070_908_800
INVALID_SHARE = 1e-4  # of the rows, for each fault; never fewer than two rows
DUPLICATE_SHARE = 2e-3


class Fault(NamedTuple):
    """A fault of a row: its name, the column and the invalid value of that column."""

    name: str
    column: str
    value: object


FAULTS = {
    "listens": (
        Fault("missing_user_id", "user_id", None),
        Fault("missing_track_id", "track_id", None),
        Fault("missing_time", "listened_at", None),
        Fault("unparsable_time", "listened_at", "last tuesday"),
        Fault("time_in_the_future", "listened_at", FUTURE),
        Fault("unparsable_number", "ms_played", "three minutes"),
        Fault("negative_number", "ms_played", -30_000),
        Fault("offset_out_of_range", "utc_offset_min", 5_400),
    ),
    "events": (
        Fault("missing_user_id", "user_id", None),
        Fault("missing_track_id", "track_id", None),
        Fault("unknown_event", "event", "superlike"),
        Fault("missing_event", "event", None),
        Fault("time_in_the_future", "event_at", FUTURE),
    ),
    "tracks": (
        Fault("missing_track_id", "track_id", None),
        Fault("missing_title", "title", None),
        Fault("negative_number", "duration_ms", -1),
        Fault("unparsable_number", "duration_ms", "3:45"),
        Fault("unparsable_date", "release_date", "2026-02-31"),
        Fault("unknown_consent", "training_consent", "perhaps"),
    ),
    "artists": (
        Fault("missing_artist_id", "artist_id", None),
        Fault("missing_name", "name", None),
        Fault("unknown_gender", "gender", "m/f?"),
    ),
    "labels": (Fault("missing_name", "name", None), Fault("unknown_label_type", "label_type", "enormous")),
    "users": (
        Fault("missing_user_id", "user_id", None),
        Fault("unknown_age_band", "age_band", "<18"),
        Fault("unparsable_date", "signed_up_at", "spring"),
    ),
    "playlists": (
        Fault("missing_track_id", "track_id", None),
        Fault("position_out_of_range", "position", 0),
        Fault("unparsable_number", "position", "first"),
    ),
    "charts": (
        Fault("missing_title", "title", None),
        Fault("unparsable_date", "chart_date", "this week"),
        Fault("rank_out_of_range", "rank", 0),
    ),
}


def add_invalid_lines(
    frame: pl.DataFrame,
    table: str,
    to_lines: Callable[[pl.DataFrame], list[bytes]],
    rng: np.random.Generator,
    *,
    is_csv: bool,
) -> tuple[list[bytes], Counter[str]]:
    """
    Write the rows of a table as lines, with invalid lines among them.

    Args:
        frame: The valid rows.
        table: Name of the table, a key of FAULTS.
        to_lines: Function that formats each row as one line.
        rng: Random generator for the copied rows and the positions of the invalid lines.
        is_csv: Whether a malformed line has too many fields (CSV) or ends too early (JSON).

    Returns:
        All lines, and the number of invalid lines per fault.
    """
    valid = to_lines(frame)
    invalid: dict[str, list[bytes]] = {
        fault.name: to_lines(_faulty(frame, fault, _pick(frame, INVALID_SHARE, rng))) for fault in FAULTS[table]
    }
    invalid[DUPLICATE] = [valid[row] for row in _pick(frame, DUPLICATE_SHARE, rng)]
    originals = [valid[row] for row in _pick(frame, INVALID_SHARE, rng)]
    invalid[TOO_MANY_FIELDS if is_csv else BROKEN_JSON] = [_malformed(line, is_csv=is_csv) for line in originals]
    extra = [line for lines in invalid.values() for line in lines]
    lines = valid + extra
    order = _order(len(valid), len(extra), rng)
    return [lines[row] for row in order], Counter({fault: len(lines) for fault, lines in invalid.items()})


def add_invalid_rows(frame: pl.DataFrame, table: str, rng: np.random.Generator) -> tuple[pl.DataFrame, Counter[str]]:
    """Add invalid rows to a typed table, with the faults that are possible in its column types."""
    faults = [fault for fault in FAULTS[table] if not _is_text_for_number(frame, fault)]
    invalid = {fault.name: _faulty(frame, fault, _pick(frame, INVALID_SHARE, rng)) for fault in faults}
    invalid[DUPLICATE] = frame[_pick(frame, DUPLICATE_SHARE, rng)]
    combined = pl.concat([frame, *(rows.cast(frame.schema) for rows in invalid.values())])
    order = _order(len(frame), len(combined) - len(frame), rng)
    return combined[order], Counter({name: len(rows) for name, rows in invalid.items()})


def _pick(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(len(frame), max(2, round(len(frame) * share)), replace=False)


def _faulty(frame: pl.DataFrame, fault: Fault, rows: np.ndarray) -> pl.DataFrame:
    """Return copies of the rows with the invalid value in the fault's column; future times have the column's unit."""
    in_seconds = fault.value == FUTURE and frame.schema[fault.column].is_integer()
    return frame[rows].with_columns(pl.lit(FUTURE_S if in_seconds else fault.value).alias(fault.column))


def _is_text_for_number(frame: pl.DataFrame, fault: Fault) -> bool:
    is_text = isinstance(fault.value, str) and fault.value != FUTURE
    return is_text and frame.schema[fault.column].is_integer()


def _malformed(line: bytes, *, is_csv: bool) -> bytes:
    return line.rstrip(b"\n") + b",surplus,fields\n" if is_csv else line[: len(line) // 2] + b"\n"


def _order(n_valid: int, n_invalid: int, rng: np.random.Generator) -> list[int]:
    """Return row numbers that keep the valid rows in order and put the invalid ones at random between them."""
    position = np.r_[np.arange(n_valid), rng.integers(0, n_valid, n_invalid) + 0.5]
    return [int(row) for row in np.argsort(position, kind="stable")]
