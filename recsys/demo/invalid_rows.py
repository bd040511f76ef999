"""
Dirt: rows that no contract accepts, and repeated rows, set between the good ones.

Every dirty row is a copy of a good row with one thing wrong, so the good rows stay whole and can be counted.
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
DIRTY_SHARE = 1e-4  # of the rows, for each fault; never fewer than two rows
DUPLICATE_SHARE = 2e-3


class Fault(NamedTuple):
    """One thing that goes wrong in a row: its name, and the value a column gets instead."""

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


def soil_lines(
    frame: pl.DataFrame,
    table: str,
    to_lines: Callable[[pl.DataFrame], list[bytes]],
    rng: np.random.Generator,
    *,
    is_csv: bool,
) -> tuple[list[bytes], Counter[str]]:
    """
    Write the rows of a table as lines with dirty lines among them.

    Args:
        frame: The good rows.
        table: Name of the table, a key of FAULTS.
        to_lines: Makes one line of each row.
        rng: Draws which rows are copied and where the dirt lies.
        is_csv: Whether a malformed line has too many fields (CSV) or ends too early (JSON).

    Returns:
        All lines, and how many dirty ones there are of each fault.
    """
    good = to_lines(frame)
    dirty: dict[str, list[bytes]] = {
        fault.name: to_lines(_faulty(frame, fault, _pick(frame, DIRTY_SHARE, rng))) for fault in FAULTS[table]
    }
    dirty[DUPLICATE] = [good[row] for row in _pick(frame, DUPLICATE_SHARE, rng)]
    whole = [good[row] for row in _pick(frame, DIRTY_SHARE, rng)]
    dirty[TOO_MANY_FIELDS if is_csv else BROKEN_JSON] = [_malformed(line, is_csv=is_csv) for line in whole]
    extra = [line for lines in dirty.values() for line in lines]
    lines = good + extra
    return [lines[row] for row in _order(len(good), len(extra), rng)], Counter({k: len(v) for k, v in dirty.items()})


def soil_frame(frame: pl.DataFrame, table: str, rng: np.random.Generator) -> tuple[pl.DataFrame, Counter[str]]:
    """Set dirty rows among the rows of a typed table: only such faults as its types can hold."""
    faults = [fault for fault in FAULTS[table] if not _is_text_for_number(frame, fault)]
    dirty = {fault.name: _faulty(frame, fault, _pick(frame, DIRTY_SHARE, rng)) for fault in faults}
    dirty[DUPLICATE] = frame[_pick(frame, DUPLICATE_SHARE, rng)]
    every = pl.concat([frame, *(rows.cast(frame.schema) for rows in dirty.values())])
    order = _order(len(frame), len(every) - len(frame), rng)
    return every[order], Counter({name: len(rows) for name, rows in dirty.items()})


def _pick(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(len(frame), max(2, round(len(frame) * share)), replace=False)


def _faulty(frame: pl.DataFrame, fault: Fault, rows: np.ndarray) -> pl.DataFrame:
    """Copies of the rows with the fault in its column; a future time in the column's own way of telling time."""
    tells_seconds = fault.value == FUTURE and frame.schema[fault.column].is_integer()
    return frame[rows].with_columns(pl.lit(FUTURE_S if tells_seconds else fault.value).alias(fault.column))


def _is_text_for_number(frame: pl.DataFrame, fault: Fault) -> bool:
    is_text = isinstance(fault.value, str) and fault.value != FUTURE
    return is_text and frame.schema[fault.column].is_integer()


def _malformed(line: bytes, *, is_csv: bool) -> bytes:
    return line.rstrip(b"\n") + b",surplus,fields\n" if is_csv else line[: len(line) // 2] + b"\n"


def _order(n_good: int, n_dirty: int, rng: np.random.Generator) -> list[int]:
    """Row numbers that leave the good rows in order and set the dirty ones at random among them."""
    where = np.r_[np.arange(n_good), rng.integers(0, n_good, n_dirty) + 0.5]
    return [int(row) for row in np.argsort(where, kind="stable")]
