"""Rerank contexts and candidates: a small one to count by hand, and random ones."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.rerank.base import RerankContext

ARTISTS = {"a1": "ada", "a2": "ada", "a3": "ada", "b1": "ben", "b2": "ben", "c1": "cleo", "x1": None, "x2": None}
GENRES = {"a1": "rock", "a2": "rock", "a3": "rock", "b1": "rock", "b2": "jazz", "c1": "jazz", "x1": None, "x2": "folk"}
GROUPS = {"a1": "m", "a2": "m", "a3": "m", "b1": "m", "b2": "f", "c1": "f", "x1": None, "x2": "f"}
CATALOGUE = pl.DataFrame([{"track_id": track, "artist": ARTISTS[track], "genre": GENRES[track]} for track in ARTISTS])


@pytest.fixture
def context() -> RerankContext:
    """
    Three listeners and eight tracks.

    Ann likes rock (a1) and jazz (c1) equally. Bob likes a1, heard 40 days ago, and skipped b1. Cy likes a1, c1 and x2.
    """
    plays = [
        ("ann", "a1", 1.0, 2.0),
        ("ann", "c1", 1.0, 50.0),
        ("bob", "a1", 1.0, 40.0),
        ("bob", "b1", -0.25, 1.0),
        ("cy", "a1", 1.0, 1.0),
        ("cy", "c1", 1.0, 1.0),
        ("cy", "x2", 1.0, 1.0),
    ]
    pairs = pl.DataFrame(plays, ["user_id", "track_id", "strength", "age_days"], orient="row")
    groups = pl.DataFrame({"track_id": list(GROUPS), "gender": list(GROUPS.values())})
    return RerankContext.of(Interactions.of(pairs, catalogue=CATALOGUE), groups)


Ranked = Callable[..., pl.DataFrame]


@pytest.fixture
def ranked() -> Ranked:
    """Return a function that makes candidates from text, ann="a1 b1", best first, with falling scores."""

    def make(**tracks: str) -> pl.DataFrame:
        rows = [
            (user, track, position + 1, 1 - position / 10)
            for user, listed in tracks.items()
            for position, track in enumerate(listed.split())
        ]
        schema = {"user_id": pl.String, "track_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
        return pl.DataFrame(rows, schema, orient="row")

    return make


def listed(lists: pl.DataFrame, user: str) -> str:
    """Return one listener's list as text."""
    return " ".join(lists.filter(user_id=user).sort("rank")["track_id"])


def random_candidates(
    seed: int, n_users: int = 12, n_tracks: int = 60, n: int = 30
) -> tuple[RerankContext, pl.DataFrame]:
    """Make random listeners, tracks and candidates: a fifth of the tracks is in group 'f', some have no artist."""
    rng = np.random.default_rng(seed)
    ids = [f"t{number:02}" for number in range(n_tracks)]
    catalogue = pl.DataFrame(
        {
            "track_id": ids,
            "artist": [f"a{artist}" if artist < 12 else None for artist in rng.integers(0, 14, n_tracks)],
            "genre": [[f"g{genre}" for genre in rng.choice(6, rng.integers(0, 3), replace=False)] or None for _ in ids],
        }
    )
    groups = pl.DataFrame({"track_id": ids, "gender": rng.choice(["f", "m"], n_tracks, p=[0.2, 0.8])})
    pairs = pl.DataFrame(
        [
            {
                "user_id": f"u{user:02}",
                "track_id": ids[track],
                "strength": float(rng.choice([1.0, 1.0, -0.5])),
                "age_days": float(rng.uniform(0, 60)),
            }
            for user in range(n_users - 1)  # the last one has no history
            for track in rng.choice(n_tracks, 10, replace=False)
        ]
    )
    rows = [
        (f"u{user:02}", ids[track], position + 1, score)
        for user in range(n_users)
        for position, (track, score) in enumerate(
            zip(rng.choice(n_tracks, n, replace=False), -np.sort(-rng.normal(size=n)), strict=True)
        )
    ]
    schema = {"user_id": pl.String, "track_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
    candidates = pl.DataFrame(rows, schema, orient="row")
    return RerankContext.of(Interactions.of(pairs, catalogue=catalogue), groups), candidates
