"""
Re-ranking 2,500 listeners x 500 candidates with every stage, on one core, beside a plain greedy choice.

Synthetic taste of 10,000 tracks: the time depends on sizes only. The peer chooses for the first 250 listeners, its time
taken ten times. Run: python -m bench.rerank. What stages cost on real listeners: bench/rerank_price.py.
"""

import os
from dataclasses import dataclass
from time import perf_counter

os.environ.setdefault("POLARS_MAX_THREADS", "1")  # before polars is imported: one core means one

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from bench.plain_rerank import plain_choice
from recsys.interactions import Interactions
from recsys.rerank.artist_cap import ArtistCap
from recsys.rerank.base import About, Night, Stage
from recsys.rerank.calibration import Calibration
from recsys.rerank.diversity import Diversity
from recsys.rerank.exposure import Exposure, shares
from recsys.rerank.fair_top_k import FairTopK
from recsys.rerank.lists import chosen_among, rerank
from recsys.rerank.not_heard import NotHeard
from recsys.rerank.popularity import Popularity

N_LISTENERS, N_TRACKS, N_CANDIDATES, N_PLAYED, K, N_PLAIN = 2_500, 10_000, 500, 60, 20, 250
MINORITY = "gender=female"
STAGES: dict[str, Stage] = {
    "artist_cap": ArtistCap(2),
    "not_heard": NotHeard(30),
    "diversity": Diversity(0.1),
    "calibration": Calibration(0.02),
    "popularity": Popularity(0.02),
    "fair_top_k": FairTopK(MINORITY, 0.15),
    "exposure": Exposure({MINORITY: 0.2}),
}


@dataclass(frozen=True)
class World:
    """What is known, and the candidates."""

    about: About
    candidates: pl.DataFrame


def main() -> None:
    """Time each stage alone, all together, and the plain choice."""
    with threadpool_limits(1):
        world = make_world()
        _ = world.about.vectors, world.about.artists  # a night computes them once
        for name, stage in STAGES.items():
            print(f"{name:<12} {_seconds(world, [stage]):6.2f} s")
        together = list(STAGES.values())
        ours = _seconds(world, together)
        print(f"{'all stages':<12} {ours:6.2f} s for {N_LISTENERS:,} listeners x {N_CANDIDATES} candidates, k = {K}")
        _beside_plain(world, together, ours)


def _seconds(world: World, stages: list[Stage]) -> float:
    started = perf_counter()
    rerank(world.candidates, stages, world.about, K)
    return perf_counter() - started


def _beside_plain(world: World, stages: list[Stage], ours: float) -> None:
    night = Night.of(world.candidates, world.about, K)
    chosen, prepared = chosen_among(night, stages)
    share = shares(night, chosen, world.about.members(MINORITY)[:, None])[0]
    few = Night.of(world.candidates.head(N_PLAIN * N_CANDIDATES), world.about, K)
    started = perf_counter()
    plain = plain_choice(few, prepared)
    seconds = (perf_counter() - started) * N_LISTENERS / N_PLAIN
    same = (plain == chosen[:N_PLAIN]).all(axis=1).mean()
    print(
        f"{'plain':<12} {seconds:6.2f} s, {seconds / ours:.1f} times ours; {same:.1%} of its lists are the same as ours"
    )
    print(f"share of {MINORITY}: {share:.4f}, target 0.2")


def make_world(seed: int = 7) -> World:
    """Draw tracks of unequal popularity, with artist, genres and a group, and candidates of falling score."""
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(1, N_TRACKS + 1) ** 0.8
    ids = np.array([f"t{at:05}" for at in range(N_TRACKS)])
    genres = [f"g{at}" for at in range(30)]
    catalogue = pl.DataFrame(
        {
            "track_id": ids,
            "artist": [f"a{at}" for at in rng.integers(0, N_TRACKS // 8, N_TRACKS)],
            "genre": [rng.choice(genres, rng.integers(1, 4), replace=False).tolist() for _ in ids],
        }
    )
    is_female = rng.random(N_TRACKS) < 0.1
    groups = pl.DataFrame({"track_id": ids, "gender": np.where(is_female, "female", "male")})
    names = [f"u{at:04}" for at in range(N_LISTENERS)]
    drawn = [rng.choice(N_TRACKS, N_PLAYED + N_CANDIDATES, replace=False, p=weight / weight.sum()) for _ in names]
    played = np.concatenate([each[:N_PLAYED] for each in drawn])
    plays = pl.DataFrame({"user_id": np.repeat(names, N_PLAYED), "track_id": ids[played], "strength": 1.0})
    candidates = pl.DataFrame(
        {
            "user_id": np.repeat(names, N_CANDIDATES),
            "track_id": ids[np.concatenate([each[N_PLAYED:] for each in drawn])],
            "rank": np.tile(np.arange(1, N_CANDIDATES + 1, dtype=np.int32), N_LISTENERS),
            "score": -np.sort(-rng.gamma(2, 1, (N_LISTENERS, N_CANDIDATES)).astype(np.float32), axis=1).ravel(),
        }
    )
    return World(About.of(Interactions.of(plays, catalogue=catalogue), groups), candidates)


if __name__ == "__main__":
    main()
