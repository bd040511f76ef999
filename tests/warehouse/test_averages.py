"""Averages and comparisons at the beginning of the log and of an artist, on rows that can be counted by hand."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from recsys.warehouse.query import Warehouse, run_query

from .conftest import AS_OF, Place, place_in, rows
from .test_trends import heard, warehouse_of

MARTS = ["marts.artist_daily", "marts.artist_profile", "marts.artist_weekly", "marts.track_daily"]
MARTS += ["marts.track_features", "marts.catalogue_split", "marts.genre_weekly"]
N_DAYS = 10  # of the log


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a log of ten days: an old artist with 110 plays per day, and one whose first release is four days old."""
    listens = heard(range(N_DAYS), "old", ["ann", "bob"], 55) + heard(range(4), "new", ["ann"], 20)
    tracks = ["old,Old,ar1,la1,2020-01-01,rock", f"new,New,ar2,la1,{AS_OF - timedelta(days=3)},rock"]
    return warehouse_of(place_in(tmp_path_factory.mktemp("young")), listens, tracks, only=MARTS)


def answer(path: Path, name: str, **params: object) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    with Warehouse.open(path) as warehouse:
        return run_query(warehouse, name, {key: str(value) for key, value in params.items()}).to_dicts()


@pytest.mark.parametrize("days", [1, 7, 28])
@pytest.mark.parametrize(("artist_id", "per_day"), [("ar1", 110.0), ("ar2", 20.0)])
def test_plays_per_day_of_a_young_log(young: Path, artist_id: str, per_day: float, days: int) -> None:
    """Steady plays have the same average over every window, from the first day on."""
    trend = answer(young, "artist_trend", artist_id=artist_id, days=days)

    assert {day["plays_a_day"] for day in trend} == {per_day}


def test_days_without_a_play_are_part_of_the_average(place: Place) -> None:
    """An artist released before the log has 14 plays in its first seven days, on the third and the last of them."""
    listens = heard([6], "other", ["ann"]) + heard([4, 0], "old", ["ann"], 7)
    tracks = ["old,Old,ar1,la1,2020-01-01,rock", "other,Other,ar2,la1,2020-01-01,rock"]
    built = warehouse_of(place, listens, tracks, only=MARTS)

    trend = answer(built, "artist_trend", artist_id="ar1", days=7)

    assert [day["plays_a_day"] for day in trend] == [7 / 3, 2.0]


@pytest.mark.parametrize(("days", "is_covered"), [(1, True), (5, False), (7, False)])
def test_a_period_is_compared_with_one_that_the_log_covers(young: Path, days: int, is_covered: bool) -> None:
    """The last day has its weekday a week earlier in the log; five days, whose weekdays began 12 days ago, do not."""
    changes = {row["measure"]: row for row in answer(young, "what_changed", days=days)}

    plays = changes["n_plays"]
    assert plays["n_now"] == 110 * days + 20 * min(days, 4)
    assert plays["n_before"] == (110 if is_covered else None)
    assert plays["change"] == (pytest.approx(130 / 110 - 1) if is_covered else None)
    assert bool(answer(young, "artist_changes", days=days, min_plays=1)) == is_covered


def test_a_period_begins_with_the_log(young: Path) -> None:
    """The last 28 days are the ten days of the log."""
    (first,) = {row["first_date"] for row in answer(young, "what_changed", days=28)}

    assert first == AS_OF - timedelta(days=N_DAYS - 1)


def test_growth_needs_whole_windows(young: Path) -> None:
    """Two windows of five days are in the log, three are not; of seven days, only one is."""
    (steady,) = answer(young, "trending_artists", days=5)

    assert (steady["artist_id"], steady["velocity"], steady["acceleration"]) == ("ar1", 1.0, None)
    assert answer(young, "trending_artists", days=3)[0]["acceleration"] == 1.0
    assert answer(young, "trending_artists", days=7) == []


def test_a_week_that_began_before_the_log_is_left_out(young: Path) -> None:
    """The log runs from a Thursday to a Saturday: its first week has four days, its last one six."""
    monday = date(2026, 1, 26)

    assert (AS_OF - timedelta(days=N_DAYS - 1)).weekday() == 3
    assert {row["week_start"] for row in answer(young, "frontline_share")} == {monday}
    assert {row["week_start"] for row in answer(young, "genre_trends")} == {monday}


def test_the_first_week_of_the_log_is_no_peak_unless_it_is_complete(place: Place) -> None:
    """The best week is the first complete one, although the log's first day alone has more plays."""
    listens = heard([34], "t1", ["ann"], 900)  # a Sunday
    for ago, n in zip((33, 26, 19, 12), (800, 400, 200, 100), strict=True):
        listens += heard([ago], "t1", ["ann"], n)
    listens += heard([0], "t1", ["ann"])
    built = warehouse_of(place, listens, ["t1,One,ar1,,,rock"], only=["marts.release_decay"])

    found = rows(built, "select peak_week, n_plays_peak, half_life_weeks from marts.release_decay")

    assert found == [(AS_OF - timedelta(days=33), 800, pytest.approx(1.0, abs=0.01))]


def test_the_effect_of_a_playlist_needs_the_weeks_before(place: Place) -> None:
    """A recording released within the four weeks before the add is neither an effect nor a control."""
    added = date(2025, 12, 23)
    ago, names = (AS_OF - added).days, [f"c{n}" for n in range(10)]
    listens = [row for name in [*names, "added", "fresh"] for row in heard(range(70), name, ["ann"])]
    release = {"fresh": added - timedelta(days=ago // 3)}
    tracks = [f"{name},{name},ar1,,{release.get(name, '2020-01-01')},rock" for name in [*names, "added", "fresh"]]
    lists = f"playlist_id,position,track_id,added_at\np1,1,added,{added}T12:00:00Z\np1,2,fresh,{added}T12:00:00Z\n"
    built = warehouse_of(place, listens, tracks, playlists=lists, only=["marts.playlist_effect"])

    assert rows(built, "select track_id, n_controls from marts.playlist_effect") == [("added", 10)]
