"""
Lists in which known tracks may be recommended again: nDCG@10 of the blend beside rules and EASE, on a demo world.

Relevant is all that a listener plays in the last two weeks, known or new; nothing is hidden. The blend's ranker learns
from a validation split of the same kind, the two weeks before. The models have their default settings; the blend's
members are those of the default recipe. The rules rank a listener's own plays, whole or decayed, and then popular
tracks; they learn nothing. The ratio is to the best of them and of EASE on the test, which is in their favour.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from bench.options import benchmark, size
from bench.recommenders.worlds import TEST_DAYS, catalogue_of, completed, pairs_of

if TYPE_CHECKING:
    from recsys.arrays import F64
    from recsys.dataset.splits import Split

BLEND, MEMBERS, K, SEED = "blend", ("ease", "als", "item_knn", "user_knn"), 10, 7
RULES = {  # of own plays: decays of `confidence`
    "most played": {},
    "plays decayed by days": {"recency": 1.0},
    "plays decayed by later tracks": {"rank_recency": 0.5},
}


@benchmark(headline=r"blend +(\d\.\d{4})")
@size("--scale", default=1.0, smallest=0.05, help="Size of the demo world; 1 is 2,500 listeners.")
@size("--tracks", "n_tracks", default=4_000, smallest=1_400, help="Recordings in the catalogue.")
def main(scale: float, n_tracks: int) -> None:
    """Rank by what was played before the last two weeks, and compare the lists."""
    from recsys.evaluate.significance import ratio_interval
    from recsys.recommenders.blend import BlendConfig

    validation, test = splits(scale, n_tracks)
    values = {name: by_rule(test, decays) for name, decays in RULES.items()}
    values["ease"] = by_model(validation, test, "ease", None)
    values[BLEND] = by_model(validation, test, BLEND, BlendConfig(models={member: {} for member in MEMBERS}))
    for name, value in values.items():
        print(f"{name:<32}{np.nanmean(value):.4f}", flush=True)
    for other in (max(list(values)[:-1], key=lambda name: np.nanmean(values[name])), "ease"):
        ratio = ratio_interval(values[BLEND], values[other], seed=SEED)
        print(f"ratio of the blend to {other} {ratio.mean:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]")


def by_model(validation: "Split", test: "Split", name: str, config: Any) -> "F64":
    """Return nDCG@10 of each evaluated listener's list by a recommender."""
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.base import Recommender
    from recsys.recommenders.parts.filters import Filters

    model = Recommender.named(name, config).fit(test.train, validation=validation)
    users, filters = test.train.users.ids(evaluated_users(test)), Filters.for_split(test)
    return values_per_user(model.recommend(users, K, filters=filters), test, ndcg_at_k, k=K)


def by_rule(test: "Split", decays: Mapping[str, float]) -> "F64":
    """Return nDCG@10 of each evaluated listener's list: own plays by their decayed number, then popular tracks."""
    from recsys.evaluate.ranking import evaluate_lists, ndcg_at_k
    from recsys.evaluate.report import evaluated_users
    from recsys.recommenders.parts.confidence import confidence
    from recsys.recommenders.parts.topk import top_k_of_block

    users, liked = evaluated_users(test), test.train.liked
    popularity = np.bincount(liked.matrix.indices, minlength=liked.matrix.shape[1])
    own = confidence(liked[users], exponent=1, **decays).toarray()
    ranked, _ = top_k_of_block(own + (popularity / popularity.max() / 1e5).astype(np.float32), K)
    return ndcg_at_k(evaluate_lists(ranked, test.test[users]), K)


def splits(scale: float, n_tracks: int) -> "tuple[Split, Split]":
    """Simulate a demo world, and return the validation split and the test split, both with known tracks."""
    from recsys.dataset.interactions import Interactions
    from recsys.dataset.splits import Split, no_pairs
    from recsys.demo.world import World
    from recsys.demo.write import simulate

    world = World(scale=scale, n_tracks=n_tracks, n_tracks_with_audio=0)
    simulated = simulate(world)
    played, catalogue = completed(world, simulated), catalogue_of(simulated)

    def split(n_days_later: int) -> "Split":
        aged = played.with_columns(pl.col("age_days") - TEST_DAYS - n_days_later)
        past, later = (
            aged.filter(pl.col("age_days") >= low, pl.col("age_days") < low + high)
            for low, high in ((0, np.inf), (-TEST_DAYS, TEST_DAYS))
        )
        as_of = world.as_of - timedelta(days=TEST_DAYS + n_days_later)
        train = Interactions.of(pairs_of(past), catalogue=catalogue, as_of=as_of)
        return Split.of(train, later.select("user_id", "track_id").unique(), hidden=no_pairs(train))

    return split(TEST_DAYS), split(0)


if __name__ == "__main__":
    main()
