"""Rises of other channels before plays, computed again from the raw rows by polars."""

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from recsys.lake.store import Lake
from recsys.warehouse.labels import file_name, write_labels
from recsys.warehouse.query import Warehouse, run_query

from ..dashboards.truth.signals import Score, is_rise, score
from .conftest import AS_OF, Place, place_in, rows

RISES = "marts.signal_rises"


def daily(of: str, metric: str, before: Sequence[float], week: float, *, n_days: int = 63) -> list[str]:
    """Return counts of a `recording,artist` by day: `before` in turn, and `week` on the last seven days."""
    values = [before[n % len(before)] for n in range(n_days - 7)] + [week] * 7
    days = (AS_OF - timedelta(days=n_days - 1 - n) for n in range(n_days))
    return [f"{day},radio,{of},{metric},{value}" for day, value in zip(days, values, strict=True)]


SIGNALS = "\n".join(
    [
        "day,source,track_id,artist_id,metric,value",
        *daily("t3,", "spins", [10, 12, 8], 60),  # rises, and plays do not
        *daily("t1,", "spins", [10], 19),  # less than twice
        *daily("t2,", "spins", [0], 150),  # from nothing
        *daily(",ar1", "views", [200, 90], 900),  # an artist
        *daily(",ar1", "posts", [300] * 7 + [900] * 7 + [100] * 7, 900),  # within its usual range
        *daily("t1,", "views", [100], 900, n_days=21),  # less than three weeks before
        *daily("t9,", "views", [100], 900),  # not in the catalogue
        *daily("t8,", "spins", [10], 900),  # of another label
        *daily("t3,", "likes", [-5], 900),  # corrections are no counts
    ]
)

LISTENS = """user_id,track_id,listened_at
ann,t1,2026-01-20T10:00:00Z
bob,t1,2026-01-24T10:00:00Z
ann,t1,2026-01-25T10:00:00Z
ann,t2,2026-01-31T10:00:00Z
ann,t1,2026-01-17T10:00:00Z
"""


@pytest.fixture(scope="module")
def risen(world: Place, tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Path]:
    """Return a copy of the shared home with the counts above, and its warehouse."""
    place = place_in(tmp_path_factory.mktemp("risen"))
    shutil.copytree(world.home.path, place.home.path)
    place.take("signals.csv", SIGNALS)
    place.take("more.csv", LISTENS)
    place.take("other.csv", "track_id,title,artist_id,label_id\nt8,Eight,ar8,la2\n")
    return place, place.build("risen")


def scored(place: Place) -> dict[tuple[object, ...], Score | None]:
    """Return the scores of the run's day for all counts of the raw rows."""
    counts = Lake(place.home).rows("signals").filter(pl.col("value") >= 0).collect()
    groups = counts.group_by("track_id", "artist_id", "metric")
    return {key: score(dict(own.select("day", "value").iter_rows()), AS_OF) for key, own in groups}


def test_rises_are_those_of_the_raw_rows(risen: tuple[Place, Path]) -> None:
    """At least twice the usual mean and four standard deviations, after at least three weeks; others are left out."""
    place, built = risen
    expected = {key: one for key, one in scored(place).items() if is_rise(one)}

    columns = "track_id, delivered_artist_id, metric, value_per_day, usual_per_day, z, n_weeks"
    found = rows(built, f"select {columns} from {RISES} where day = '{AS_OF}'")
    assert {row[:3]: pytest.approx(row[3:]) for row in found} == expected
    assert set(expected) == {
        ("t3", None, "spins"),
        ("t2", None, "spins"),
        (None, "ar1", "views"),
        ("t8", None, "spins"),
        ("t9", None, "views"),
    }


def test_plays_of_the_same_days_stand_beside_them(risen: tuple[Place, Path]) -> None:
    """Of a recording, and of all recordings of an artist, in the seven days and in the seven before."""
    _, built = risen

    columns = "track_id, artist_id, n_plays, n_plays_before"
    assert rows(built, f"select {columns} from {RISES} where day = '{AS_OF}' order by track_id nulls first") == [
        (None, "ar1", 2, 2),
        ("t2", "ar1", 1, 0),
        ("t3", "ar2", 0, 0),
        ("t8", "ar8", 0, 0),
        ("t9", None, 0, 0),
    ]


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, {"t3", "t8", "t9", "ar1"}),
        ({"label": "la1"}, {"t3", "ar1"}),
        ({"label": "none"}, set()),
        ({"as_of": "2026-01-10", "days": "3"}, set()),
        ({"as_of": "2026-01-25", "days": "1"}, {"t8", "t9"}),
    ],
)
def test_rises_that_plays_follow_are_left_out(
    risen: tuple[Place, Path], params: dict[str, str], found: set[str]
) -> None:
    """The plays of t2 rose as well."""
    with Warehouse.open(risen[1]) as warehouse:
        rising = run_query(warehouse, "rising_signals", params)

    assert set(rising["track_id"].fill_null(rising["artist_id"])) == found
    assert rising["z"].to_list() == sorted(rising["z"], reverse=True)


def test_a_label_sees_counts_of_its_own_artists_without_plays(risen: tuple[Place, Path], tmp_path: Path) -> None:
    """Also those that its plays may have followed."""
    write_labels(risen[1], tmp_path / "labels")

    with Warehouse.open(tmp_path / "labels" / file_name("la1")) as warehouse:
        rising = run_query(warehouse, "rising_signals", {})
        weekly = warehouse.query("select distinct artist_id from marts.signals_weekly order by 1").rows()

    assert set(rising["track_id"].fill_null(rising["artist_id"])) == {"t2", "t3", "ar1"}
    assert rising["n_plays"].null_count() == rising["n_plays_before"].null_count() == 3
    assert weekly == [("ar1",), ("ar2",)]


def test_without_counts_nothing_rises(built: Path) -> None:
    """The table is empty."""
    assert rows(built, f"select count(*) from {RISES}") == [(0,)]
