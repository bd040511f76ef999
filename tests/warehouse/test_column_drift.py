"""Drift of columns: the file in which a column began to lack values is named."""

import pytest

from recsys.reports.morning.findings import source_findings
from recsys.reports.morning.settings import MorningSettings
from recsys.warehouse.query import Warehouse, run_query

from .conftest import TRACKS, Place, rows

READ = ["marts.column_drift", "marts.source_volumes"]


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
    with Warehouse.open(place.build("w", only=READ)) as warehouse:
        drifted = run_query(warehouse, "drifted_columns", {})
        texts = [finding.text for finding in source_findings(warehouse, MorningSettings())]

    assert drifted.select("source_file", "column_name", "share", "expected_share").rows() == found
    assert [text for text in texts if "lack" in text] == [
        "listens-5.csv of 28 February: 50% of 20 listens lack ms_played, 10% in the files before." for _ in found
    ]


def test_recordings_without_a_catalogue_are_a_share_of_their_own(place: Place) -> None:
    """Three files are too few to expect anything."""
    for number in range(4):
        deliver(place, number, n_missing=0)
    path = place.build("w", only=["marts.column_drift"])
    query = "select distinct share, expected_share, is_unusual from marts.column_drift where column_name = 'track_id'"

    assert rows(path, query) == [(1.0, None, None)]
