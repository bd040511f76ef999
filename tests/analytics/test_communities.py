"""Communities: listeners of two genres form two groups, which are named and keep their numbers from run to run."""

from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pytest

from recsys.analytics.communities import (
    COMMUNITY_MEMBERS_COLUMNS,
    LISTENERS,
    MIN_MEMBERS,
    TRACKS,
    cluster,
    communities,
    match_group_numbers,
)
from recsys.analytics.settings import CommunitySettings
from recsys.columns import schema
from recsys.dataset.interactions import Interactions

Groups: TypeAlias = tuple[pl.DataFrame, pl.DataFrame]  # groups, and their members
NO_MEMBERS = pl.DataFrame(schema=schema(COMMUNITY_MEMBERS_COLUMNS))
SETTINGS = CommunitySettings(listeners=2, tracks=2)
ARTISTS = pl.DataFrame({"artist_id": [f"{side}{n}" for side in ("rock", "folk") for n in range(5)]}).with_columns(
    name=pl.format("The {}s", "artist_id")
)
CATALOGUE = pl.DataFrame(
    # Five rock artists and five folk artists, with twelve tracks each.
    [
        {"track_id": f"{artist}_{n:02}", "artist": artist, "genre": artist[:-1]}
        for artist in ARTISTS["artist_id"]
        for n in range(12)
    ]
)


def listeners_of(n_rock: int, n_folk: int, first: int = 0) -> Interactions:
    """Make listeners of rock and folk; each likes twenty tracks of their genre and one of the other."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = []
    for kind, other, n_listeners in (("rock", "folk", n_rock), ("folk", "rock", n_folk)):
        own, others = (CATALOGUE.filter(genre=name)["track_id"].to_list() for name in (kind, other))
        for n in range(first, first + n_listeners):
            liked = [*rng.choice(own, 20, replace=False), rng.choice(others)]
            rows += [{"user_id": f"{kind}_{n}", "track_id": str(track), "strength": 1.0} for track in liked]
    return Interactions.of(pl.DataFrame(rows), catalogue=CATALOGUE)


@pytest.fixture(scope="module")
def first_run() -> Groups:
    """The groups of sixty rock listeners and forty folk listeners, and their members."""
    return communities(listeners_of(60, 40), ARTISTS, SETTINGS, NO_MEMBERS)


def test_listeners_of_different_genres_are_in_different_groups(first_run: Groups) -> None:
    """Every listener and every track is in the group of its genre, and the larger group has number 1."""
    _, members = first_run

    kinds = members.with_columns(side=pl.col("member_id").str.slice(0, 4)).group_by("kind", "community").agg("side")
    assert all(len(set(sides)) == 1 for sides in kinds["side"])
    sizes = members.filter(kind=LISTENERS).group_by("community").len().sort("community")
    assert sizes.rows() == [(1, 60), (2, 40)]
    assert members.filter(kind=TRACKS).height == len(CATALOGUE)


def test_groups_are_named_after_distinctive_artists_and_genre(first_run: Groups) -> None:
    """The name has three artists and the genre; n_members counts the members."""
    groups, members = first_run

    rock = groups.filter(kind=LISTENERS, community=1).row(0, named=True)
    assert rock["genres"] == ["rock"]
    assert len(rock["artists"]) == 3
    assert all(artist.startswith("The rock") for artist in rock["artists"])
    assert rock["name"] == ", ".join(rock["artists"]) + " (rock)"
    assert groups["n_members"].sum() == len(members)


def test_groups_keep_their_numbers_when_sizes_change(first_run: Groups) -> None:
    """In the next run folk has more listeners than rock, and is still number 2."""
    _, members = communities(listeners_of(60, 80), ARTISTS, SETTINGS, first_run[1])

    sizes = members.filter(kind=LISTENERS).group_by("community").len().sort("community")
    assert sizes.rows() == [(1, 60), (2, 80)]


def test_a_group_without_a_shared_member_gets_a_new_number(first_run: Groups) -> None:
    """If all listeners are new, the previous numbers are not used again."""
    _, members = communities(listeners_of(60, 40, first=500), ARTISTS, SETTINGS, first_run[1].filter(kind=LISTENERS))

    assert set(members.filter(kind=LISTENERS)["community"]) == {3, 4}


def test_groups_are_reproducible(first_run: Groups) -> None:
    """The same input gives exactly the same groups."""
    groups, members = communities(listeners_of(60, 40), ARTISTS, SETTINGS, NO_MEMBERS)

    assert groups.equals(first_run[0])
    assert members.equals(first_run[1])


def test_small_groups_are_dissolved() -> None:
    """Three distant points are fewer than MIN_MEMBERS: they join the nearest group."""
    rng = np.random.default_rng(1)
    crowd = rng.normal(0, 0.1, (2 * MIN_MEMBERS, 2)) + np.repeat([[0, 0], [5, 0]], MIN_MEMBERS, axis=0)
    points = np.concatenate([crowd, [[5, 9]] * 3])

    group = cluster(points, 3, seed=7, previous=np.full(len(points), -1))

    assert np.bincount(group).tolist() == [MIN_MEMBERS + 3, MIN_MEMBERS]


@pytest.mark.parametrize(("n_points", "n_groups"), [(0, 0), (1, 1), (2 * MIN_MEMBERS - 1, 1), (2 * MIN_MEMBERS, 2)])
def test_few_points_are_few_groups(n_points: int, n_groups: int) -> None:
    """There is at most one group per MIN_MEMBERS points, and at least one."""
    points = np.random.default_rng(1).normal(size=(n_points, 3)) + 100 * (np.arange(n_points) % 2)[:, None]

    assert len(set(cluster(points, 12, seed=7, previous=np.full(n_points, -1)))) == n_groups


def test_the_larger_part_of_a_divided_group_keeps_the_number() -> None:
    """A group of five is divided into three and two: the three keep number 4, the two get a new number."""
    last = pl.DataFrame({"member_id": list("abcdef"), "community": [4] * 5 + [9]})
    now = pl.DataFrame({"member_id": list("abcdef"), "community": [0, 0, 0, 1, 1, 2]})

    assert match_group_numbers(now, last).to_list() == [4, 4, 4, 10, 10, 9]


def test_without_artists_there_is_no_group() -> None:
    """Without artists of tracks the result is empty, without an error."""
    interactions = Interactions.of(
        pl.DataFrame({"user_id": ["a", "b"], "track_id": ["x", "y"], "strength": [1.0, 1.0]})
    )

    groups, members = communities(interactions, ARTISTS, SETTINGS, NO_MEMBERS)

    assert (len(groups), len(members)) == (0, 0)
