"""Communities: two tastes that share little are two groups, named after what they play, from night to night."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from recsys.analytics.communities import (
    COMMUNITY_MEMBERS_COLUMNS,
    LISTENERS,
    MIN_MEMBERS,
    TRACKS,
    CommunitySettings,
    communities,
    grouped,
    kept_numbers,
)
from recsys.columns import schema
from recsys.dataset.interactions import Interactions
from recsys.errors import BadRecipe

NOTHING = pl.DataFrame(schema=schema(COMMUNITY_MEMBERS_COLUMNS))
SETTINGS = CommunitySettings(listeners=2, tracks=2)
ARTISTS = pl.DataFrame({"artist_id": [f"{side}{n}" for side in ("rock", "folk") for n in range(5)]}).with_columns(
    name=pl.format("The {}s", "artist_id")
)
CATALOGUE = pl.DataFrame(
    # Five artists of rock and five of folk, with twelve tracks each.
    [
        {"track_id": f"{artist}_{n:02}", "artist": artist, "genre": artist[:-1]}
        for artist in ARTISTS["artist_id"]
        for n in range(12)
    ]
)


def taste_of(n_rock: int, n_folk: int, first: int = 0) -> Interactions:
    """So many listeners of each, every one with twenty tracks of their kind and one of the other."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for kind, other, n_listeners in (("rock", "folk", n_rock), ("folk", "rock", n_folk)):
        own, strange = (CATALOGUE.filter(genre=name)["track_id"].to_list() for name in (kind, other))
        for n in range(first, first + n_listeners):
            liked = [*rng.choice(own, 20, replace=False), rng.choice(strange)]
            rows += [{"user_id": f"{kind}_{n}", "track_id": str(track), "strength": 1.0} for track in liked]
    return Interactions.of(pl.DataFrame(rows), catalogue=CATALOGUE)


@pytest.fixture(scope="module")
def night() -> tuple[pl.DataFrame, pl.DataFrame]:
    """The groups of sixty listeners of rock and forty of folk, and their members."""
    return communities(taste_of(60, 40), ARTISTS, SETTINGS, NOTHING)


def test_tastes_that_share_little_are_groups_of_their_own(night: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Every listener and every track is with its own kind, the larger group first."""
    _, members = night

    kinds = members.with_columns(side=pl.col("member_id").str.slice(0, 4)).group_by("kind", "community").agg("side")
    assert all(len(set(tastes)) == 1 for tastes in kinds["side"])
    sizes = members.filter(kind=LISTENERS).group_by("community").len().sort("community")
    assert sizes.rows() == [(1, 60), (2, 40)]
    assert members.filter(kind=TRACKS).height == len(CATALOGUE)


def test_groups_are_named_after_what_tells_them_apart(night: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Three artists and the genre of their own; sizes are those of the members."""
    groups, members = night

    rock = groups.filter(kind=LISTENERS, community=1).row(0, named=True)
    assert rock["genres"] == ["rock"]
    assert len(rock["artists"]) == 3
    assert all(artist.startswith("The rock") for artist in rock["artists"])
    assert rock["name"] == ", ".join(rock["artists"]) + " (rock)"
    assert groups["n_members"].sum() == len(members)


def test_groups_keep_their_numbers_though_sizes_turn(night: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """The next night folk has more listeners than rock: it is still number 2."""
    _, members = communities(taste_of(60, 80), ARTISTS, SETTINGS, night[1])

    sizes = members.filter(kind=LISTENERS).group_by("community").len().sort("community")
    assert sizes.rows() == [(1, 60), (2, 80)]


def test_a_group_that_shares_nobody_gets_a_new_number(night: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """All listeners are others than last night: neither number is given again."""
    _, members = communities(taste_of(60, 40, first=500), ARTISTS, SETTINGS, night[1].filter(kind=LISTENERS))

    assert set(members.filter(kind=LISTENERS)["community"]) == {3, 4}


def test_same_night_same_groups(night: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """Bit by bit."""
    groups, members = communities(taste_of(60, 40), ARTISTS, SETTINGS, NOTHING)

    assert groups.equals(night[0])
    assert members.equals(night[1])


def test_nobody_is_alone_in_a_group() -> None:
    """Three far points are fewer than a group needs: they join the nearest one."""
    rng = np.random.default_rng(1)
    crowd = rng.normal(0, 0.1, (2 * MIN_MEMBERS, 2)) + np.repeat([[0, 0], [5, 0]], MIN_MEMBERS, axis=0)
    points = np.concatenate([crowd, [[5, 9]] * 3])

    group = grouped(points, 3, seed=7, last=np.full(len(points), -1))

    assert np.bincount(group).tolist() == [MIN_MEMBERS + 3, MIN_MEMBERS]


@pytest.mark.parametrize(("n_points", "n_groups"), [(0, 0), (1, 1), (2 * MIN_MEMBERS - 1, 1), (2 * MIN_MEMBERS, 2)])
def test_few_points_are_few_groups(n_points: int, n_groups: int) -> None:
    """A group for every MIN_MEMBERS points, one at least."""
    points = np.random.default_rng(1).normal(size=(n_points, 3)) + 100 * (np.arange(n_points) % 2)[:, None]

    assert len(set(grouped(points, 12, seed=7, last=np.full(n_points, -1)))) == n_groups


def test_numbers_go_to_whom_most_is_shared_with() -> None:
    """Of two groups that come out of one, the larger keeps its number."""
    last = pl.DataFrame({"member_id": list("abcdef"), "community": [4] * 5 + [9]})
    now = pl.DataFrame({"member_id": list("abcdef"), "community": [0, 0, 0, 1, 1, 2]})

    assert kept_numbers(now, last).to_list() == [4, 4, 4, 10, 10, 9]


def test_a_night_without_artists_has_tracks_and_listeners_in_no_group() -> None:
    """Nothing to go by: no group, and no error."""
    interactions = Interactions.of(
        pl.DataFrame({"user_id": ["a", "b"], "track_id": ["x", "y"], "strength": [1.0, 1.0]})
    )

    groups, members = communities(interactions, ARTISTS, SETTINGS, NOTHING)

    assert (len(groups), len(members)) == (0, 0)


def test_no_group_at_all_is_refused() -> None:
    """As the recipe's other sections do."""
    with pytest.raises(BadRecipe, match="one group at least"):
        CommunitySettings(listeners=0)
