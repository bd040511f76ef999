"""Markets of artists and labels in SQL, on rows that can be counted by hand, and intervals that cover the truth."""

from pathlib import Path

import numpy as np
import pytest

from .conftest import Place, place_in, rows

TRACKS = """track_id,title,artist_id,label_id
one,A,ar1,la
two,B,ar2,la
three,C,ar2,
"""
USERS = """user_id,country
ann,DE
bob,DE
cid,FR
"""
LISTENS = """user_id,track_id,listened_at
ann,one,2026-01-20T10:00:00Z
ann,one,2026-01-21T10:00:00Z
ann,two,2026-01-21T11:00:00Z
bob,one,2026-01-22T10:00:00Z
cid,one,2026-01-23T10:00:00Z
cid,three,2026-01-24T10:00:00Z
eve,two,2026-01-25T10:00:00Z
eve,three,2026-01-26T10:00:00Z
bob,two,2025-12-20T10:00:00Z
"""


@pytest.fixture(scope="module")
def markets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of four listeners, of whom eve has no country; bob's play of two is older than 28 days."""
    place: Place = place_in(tmp_path_factory.mktemp("markets"))
    for name, content in {"tracks": TRACKS, "users": USERS, "listens": LISTENS}.items():
        place.take(f"{name}.csv", content)
    return place.build("markets", only=["marts.markets"])


def test_shares_by_hand(markets: Path) -> None:
    """Of eight plays, four are from Germany; of the four plays of the artist, three."""
    found = rows(
        markets,
        "select owner_id, country, n_listeners, n_plays, play_share, home_share, ratio from marts.markets "
        "where owner_id in ('ar1', 'la') order by owner_id, country",
    )

    assert found == [
        ("ar1", "DE", 2, 3, 0.75, 0.5, 1.5),
        ("ar1", "FR", 1, 1, 0.25, 0.25, 1.0),
        ("la", "DE", 2, 4, pytest.approx(2 / 3), 0.5, pytest.approx(4 / 3)),
        ("la", "FR", 1, 1, pytest.approx(1 / 6), 0.25, pytest.approx(2 / 3)),
        ("la", "unknown", 1, 1, pytest.approx(1 / 6), 0.25, pytest.approx(2 / 3)),
    ]


def test_an_interval_by_hand(markets: Path) -> None:
    """The influence of ann, bob, cid and eve on the logarithm of the artist's ratio in Germany."""
    ((ratio, low, high),) = rows(
        markets, "select ratio, low, high from marts.markets where owner_id = 'ar1' and country = 'DE'"
    )

    own, home, inside = np.array([2, 1, 1, 0]) / 4, np.array([3, 1, 2, 2]) / 8, np.array([1, 1, 0, 0])
    influence = own * (inside / 0.75 - 1) - home * (inside / 0.5 - 1)
    wide = np.exp(1.96 * np.sqrt((influence**2).sum()))
    assert (low, high) == pytest.approx((ratio / wide, ratio * wide), rel=1e-6)


def test_one_country_has_no_interval_to_speak_of(tmp_path: Path) -> None:
    """Where all plays are from one country, its ratio is 1 for certain."""
    place = place_in(tmp_path)
    place.take("tracks.csv", "track_id,title,artist_id\none,A,ar1\n")
    place.take("listens.csv", "user_id,track_id,listened_at\nann,one,2026-01-20T10:00:00Z\n")

    found = rows(place.build("one", only=["marts.markets"]), "select country, ratio, low, high from marts.markets")

    assert found == [("unknown", 1.0, 1.0, 1.0)]
