"""Weekly parts of plays and listeners in SQL: by source, by what was played before, and by how much is played."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from recsys.warehouse.query import Warehouse, run_query

from .conftest import place_in, rows

MONDAY = date(2026, 1, 26)
DAYS_BEFORE = {"new": [], "returning": [28, 70], "back": [29]}  # the last week's listeners, by their earlier plays


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three listeners of an artist in the last week; another artist is played on the log's first day."""
    place = place_in(tmp_path_factory.mktemp("listening"))
    place.take("tracks.csv", "track_id,title,artist_id,label_id\none,A,ar1,la\ntwo,B,ar2,la\n")
    plays = [("one", user, MONDAY - timedelta(days=n), "") for user, days in DAYS_BEFORE.items() for n in days]
    plays += [("one", user, MONDAY, "active") for user in DAYS_BEFORE for _ in range(3)]
    plays += [("one", "new", MONDAY, "algorithmic"), ("one", "new", MONDAY + timedelta(days=5), "")]
    plays += [("two", "other", MONDAY - timedelta(days=77), ""), ("two", "other", MONDAY + timedelta(days=5), "active")]
    lines = [f"{user},{track},{day}T09:{no:02}:00Z,{source}" for no, (track, user, day, source) in enumerate(plays)]
    place.take("listens.csv", "\n".join(["user_id,track_id,listened_at,source", *lines, ""]))
    return place.build("listening", only=["marts.listening_weekly", "marts.track_daily"])


def test_parts_of_a_week_by_hand(built: Path) -> None:
    """The artist's eleven plays; five of one listener make it a heavy one, and 29 days are longer ago than 28."""
    found = rows(
        built,
        "select kind, part, n_listeners, n_plays from marts.listening_weekly "
        f"where owner_id = 'ar1' and week_start = '{MONDAY}' order by kind, part",
    )

    assert found == [
        ("intensity", "heavy", 1, 5),
        ("intensity", "light", 2, 6),
        ("loyalty", "back", 1, 3),
        ("loyalty", "new", 1, 5),
        ("loyalty", "returning", 1, 3),
        ("source", "active", 3, 9),
        ("source", "algorithmic", 1, 1),
        ("source", "unknown", 1, 1),
    ]


def test_nobody_is_new_in_the_first_weeks_of_the_log(built: Path) -> None:
    """What they had played before the log is unknown; who plays again after 42 days is back."""
    found = rows(
        built,
        "select week_start, part from marts.listening_weekly where owner = 'label' and kind = 'loyalty' "
        f"and week_start < '{MONDAY}' order by week_start",
    )

    assert found == [(MONDAY - timedelta(days=77), "unknown"), (MONDAY - timedelta(days=70), "unknown")] + [
        (MONDAY - timedelta(days=days), part) for days, part in ((35, "unknown"), (28, "back"))
    ]


def test_a_label_has_the_plays_of_its_artists(built: Path) -> None:
    """Each play counts once for the artist and once for the label."""
    sums = "select owner, sum(n_plays)::bigint from marts.listening_weekly where kind = 'source' group by owner"

    assert sorted(rows(built, sums)) == [("artist", 16), ("label", 16)]


@pytest.mark.parametrize("owner_id", ["ar1", "nobody"])
def test_a_week_in_one_row(built: Path, owner_id: str) -> None:
    """Incomplete weeks are left out: the log ends on a Saturday; without plays there is no row."""
    with Warehouse.open(built) as warehouse:
        assert run_query(warehouse, "listening_weeks", {"id": owner_id}).height == (3 if owner_id == "ar1" else 0)
