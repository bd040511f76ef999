"""
Re-ranking 2,500 listeners x 500 candidates with every rule, on one core, beside a plain greedy choice.

Synthetic taste of 10,000 tracks: the time depends on sizes only. The peer chooses for a tenth of the listeners, its
time taken ten times. What rules cost on real listeners: `bench.rerank_price`.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from time import perf_counter

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from bench.options import benchmark, size
from bench.plain_rerank import plain_choice
from recsys.dataset.interactions import Interactions
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule
from recsys.rerank.lists import apply_rules, rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure, group_exposure_shares
from recsys.rerank.rules.fair_top_k import FairTopK
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

N_PLAYED, K, TENTH, SEED = 60, 20, 10, 7
MINORITY = "gender=female"
RULES: dict[str, RerankRule] = {
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

    context: RerankContext
    candidates: pl.DataFrame


@benchmark(headline=r"all rules +(\d+\.\d\d) s for")
@size("--listeners", "n_listeners", default=2_500, smallest=50, help="Whose lists are chosen.")
@size("--tracks", "n_tracks", default=10_000, smallest=500, help="Of the catalogue.")
@size("--candidates", "n_candidates", default=500, smallest=50, help="That a list is chosen from.")
def main(n_listeners: int, n_tracks: int, n_candidates: int) -> None:
    """Time each rule alone, all together, and the plain choice."""
    os.environ["POLARS_MAX_THREADS"] = "1"  # read where polars is imported, as the new process does: one core means one
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        pool.submit(measure, n_listeners, n_tracks, n_candidates).result()


def measure(n_listeners: int, n_tracks: int, n_candidates: int) -> None:
    """Print all times."""
    with threadpool_limits(1):
        world = make_world(n_listeners, n_tracks, n_candidates)
        _ = world.context.vectors, world.context.artists  # a night computes them once
        for name, rule in RULES.items():
            print(f"{name:<12} {_seconds(world, [rule]):6.2f} s")
        together = list(RULES.values())
        ours = _seconds(world, together)
        print(f"{'all rules':<12} {ours:6.2f} s for {n_listeners:,} listeners x {n_candidates} candidates, k = {K}")
        _beside_plain(world, together, ours, n_listeners // TENTH)


def _seconds(world: World, rules: list[RerankRule]) -> float:
    started = perf_counter()
    rerank(world.candidates, rules, world.context, K)
    return perf_counter() - started


def _beside_plain(world: World, rules: list[RerankRule], ours: float, n: int) -> None:
    candidate_set = CandidateSet.of(world.candidates, world.context, K)
    chosen, prepared = apply_rules(candidate_set, rules)
    share = group_exposure_shares(candidate_set, chosen, world.context.members(MINORITY)[:, None])[0]
    few = CandidateSet.of(world.candidates.head(len(world.candidates) // TENTH), world.context, K)
    started = perf_counter()
    plain = plain_choice(few, prepared)
    seconds = (perf_counter() - started) * TENTH
    same = (plain == chosen[:n]).all(axis=1).mean()
    print(
        f"{'plain':<12} {seconds:6.2f} s, {seconds / ours:.1f} times ours; {same:.1%} of its lists are the same as ours"
    )
    print(f"share of {MINORITY}: {share:.4f}, target 0.2")


def make_world(n_listeners: int, n_tracks: int, n_candidates: int) -> World:
    """Draw tracks of unequal popularity, with artist, genres and a group, and candidates of falling score."""
    rng = np.random.default_rng(SEED)
    weight = 1 / np.arange(1, n_tracks + 1) ** 0.8
    ids = np.array([f"t{at:05}" for at in range(n_tracks)])
    genres = [f"g{at}" for at in range(30)]
    catalogue = pl.DataFrame(
        {
            "track_id": ids,
            "artist": [f"a{at}" for at in rng.integers(0, n_tracks // 8, n_tracks)],
            "genre": [rng.choice(genres, rng.integers(1, 4), replace=False).tolist() for _ in ids],
        }
    )
    is_female = rng.random(n_tracks) < 0.1
    groups = pl.DataFrame({"track_id": ids, "gender": np.where(is_female, "female", "male")})
    names = [f"u{at:04}" for at in range(n_listeners)]
    drawn = [rng.choice(n_tracks, N_PLAYED + n_candidates, replace=False, p=weight / weight.sum()) for _ in names]
    played = np.concatenate([each[:N_PLAYED] for each in drawn])
    plays = pl.DataFrame({"user_id": np.repeat(names, N_PLAYED), "track_id": ids[played], "strength": 1.0})
    candidates = pl.DataFrame(
        {
            "user_id": np.repeat(names, n_candidates),
            "track_id": ids[np.concatenate([each[N_PLAYED:] for each in drawn])],
            "rank": np.tile(np.arange(1, n_candidates + 1, dtype=np.int32), n_listeners),
            "score": -np.sort(-rng.gamma(2, 1, (n_listeners, n_candidates)).astype(np.float32), axis=1).ravel(),
        }
    )
    return World(RerankContext.of(Interactions.of(plays, catalogue=catalogue), groups), candidates)


if __name__ == "__main__":
    main()
