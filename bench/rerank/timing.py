"""Time the rerank rules on a synthetic world: each rule alone, all together, and the plain greedy choice."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from bench.rerank.plain import plain_choice
from recsys.dataset.interactions import Interactions
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule
from recsys.rerank.lists import apply_rules, rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.debias import Debias
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
    "debias": Debias(0.1),
    "fair_top_k": FairTopK(MINORITY, 0.15),
    "exposure": Exposure({MINORITY: 0.2}),
}


@dataclass(frozen=True)
class World:
    """The rerank context and the candidates."""

    context: RerankContext
    candidates: pl.DataFrame


def measure(n_listeners: int, n_tracks: int, n_candidates: int) -> None:
    """Print the time of each rule, of all together, and of the plain implementation."""
    with threadpool_limits(1):
        world = make_world(n_listeners, n_tracks, n_candidates)
        _ = world.context.vectors, world.context.artists  # cached: a nightly run computes them once
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
    print(f"{'plain':<12} {seconds:6.2f} s, {seconds / ours:.1f} times ours; {same:.1%} of its lists are equal to ours")
    print(f"share of {MINORITY}: {share:.4f}, target 0.2")


def make_world(n_listeners: int, n_tracks: int, n_candidates: int) -> World:
    """Draw tracks of unequal popularity, with artist, genres and gender, and candidates with falling scores."""
    rng = np.random.default_rng(SEED)
    weight = 1 / np.arange(1, n_tracks + 1) ** 0.8
    ids = np.array([f"t{row:05}" for row in range(n_tracks)])
    genres = [f"g{number}" for number in range(30)]
    catalogue = pl.DataFrame(
        {
            "track_id": ids,
            "artist": [f"a{number}" for number in rng.integers(0, n_tracks // 8, n_tracks)],
            "genre": [rng.choice(genres, rng.integers(1, 4), replace=False).tolist() for _ in ids],
        }
    )
    is_female = rng.random(n_tracks) < 0.1
    groups = pl.DataFrame({"track_id": ids, "gender": np.where(is_female, "female", "male")})
    names = [f"u{row:04}" for row in range(n_listeners)]
    drawn = [rng.choice(n_tracks, N_PLAYED + n_candidates, replace=False, p=weight / weight.sum()) for _ in names]
    played = np.concatenate([tracks[:N_PLAYED] for tracks in drawn])
    plays = pl.DataFrame({"user_id": np.repeat(names, N_PLAYED), "track_id": ids[played], "strength": 1.0})
    candidates = pl.DataFrame(
        {
            "user_id": np.repeat(names, n_candidates),
            "track_id": ids[np.concatenate([tracks[N_PLAYED:] for tracks in drawn])],
            "rank": np.tile(np.arange(1, n_candidates + 1, dtype=np.int32), n_listeners),
            "score": -np.sort(-rng.gamma(2, 1, (n_listeners, n_candidates)).astype(np.float32), axis=1).ravel(),
        }
    )
    return World(RerankContext.of(Interactions.of(plays, catalogue=catalogue), groups), candidates)
