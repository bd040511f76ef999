"""Drift of columns: the file in which a column began to lack values is named."""

import pytest

from recsys.warehouse.query import Warehouse, run_query

from .conftest import TRACKS, Place, rows


def deliver(place: Place, number: int, *, n_missing: int, n_rows: int = 20) -> None:
    """Ingest a file of listens, some of them without a duration."""
    lines = [f"u{n},t1,2026-01-{number + 1:02}T10:00:00Z,{'' if n < n_missing else 60_000}\n" for n in range(n_rows)]
    place.take(f"listens-{number}.csv", "user_id,track_id,listened_at,ms_played\n" + "".join(lines))


@pytest.mark.parametrize(
    ("n_missing", "found"), [(2, []), (10, [("listens-5.csv", "ms_played", 0.5, 0.1)]), (0, [])], ids=str
)
def test_a_file_that_lacks_more_values_is_named(place: Place, n_missing: int, found: list[tuple[object, ...]]) -> None:
    """Compared with the median of the files before, whose share of missing durations is a tenth."""
    place.take("tracks.csv", TRACKS)
    for number in range(5):
        deliver(place, number, n_missing=(1, 2, 3)[number % 3])
    deliver(place, 5, n_missing=n_missing)
    with Warehouse.open(place.build("w", only=["marts.column_drift"])) as warehouse:
        drifted = run_query(warehouse, "drifted_columns", {})

    assert drifted.select("source_file", "column_name", "share", "expected_share").rows() == found


def test_recordings_without_a_catalogue_are_a_share_of_their_own(place: Place) -> None:
    """Three files are too few to expect anything."""
    for number in range(4):
        deliver(place, number, n_missing=0)
    path = place.build("w", only=["marts.column_drift"])
    query = "select distinct share, expected_share, is_unusual from marts.column_drift where column_name = 'track_id'"

    assert rows(path, query) == [(1.0, None, None)]
