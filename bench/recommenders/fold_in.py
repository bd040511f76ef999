"""
Fold-in of listeners with 1, 3 and 5 plays, beside models refitted with those plays: nDCG@10 on LFM-1M.

500 listeners with plays in the test window are removed from training. The last n plays of each before the window are
then given to the model, once through `fold_in` and once in a new fit. Both see the same listeners and plays, so the
difference is paired.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from bench.options import benchmark, size, size_argument
from bench.recommenders.splits import written_split
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters

MODELS = ("popular", "item_knn", "user_knn", "als", "lightfm", "bpr", "ease", "sequential")
K, SEED = 10, 7


@benchmark(headline=r"popular +5 +(0\.\d{4})")
@size_argument("models", nargs=-1, default=MODELS, smallest=MODELS[:1])
@size("--listeners", "n_listeners", default=500, smallest=50, help="Listeners removed from training and folded in.")
def main(models: tuple[str, ...], n_listeners: int) -> None:
    """Print one line per model and number of plays."""
    from recsys.evaluate.significance import difference_interval
    from recsys.experiments.protocols import from_folder

    split = from_folder(written_split("lfm1m")).test
    rows = newcomers(split, n_listeners)
    print(f"{'model':<12}{'plays':>6}{'refit':>9}{'folded':>9}{'ratio':>8}  difference [95 %]")
    for name in models:
        without = Recommender.named(name).fit(without_users(split.train, rows))
        for n_plays in (1, 3, 5):
            values = ndcg_both_ways(name, without, split, rows, n_plays)
            ratio = values["folded"].mean() / values["refit"].mean()
            low, high = difference_interval(values["folded"], values["refit"], seed=SEED)[1:3]
            means = "".join(f"{values[way].mean():9.4f}" for way in ("refit", "folded"))
            print(f"{name:<12}{n_plays:>6}{means}{ratio:8.3f}  [{low:+.4f}, {high:+.4f}]", flush=True)


def newcomers(split: Split, n: int) -> Any:
    """Draw rows of listeners to remove: with at least 5 plays in training and one in the test window."""
    is_eligible = (np.diff(split.test.indptr) > 0) & (np.diff(split.train.matrix.indptr) >= 5)
    return np.sort(np.random.default_rng(SEED).choice(np.flatnonzero(is_eligible), n, replace=False))


def without_users(interactions: Interactions, rows: Any) -> Interactions:
    """Return the interactions of all other users."""
    return interactions.of_users(np.setdiff1d(np.arange(len(interactions.users)), rows))


def ndcg_both_ways(name: str, without: Any, split: Split, rows: Any, n_plays: int) -> dict[str, Any]:
    """Return nDCG per newcomer, 'folded' in by the model fitted without them and 'refit' with their plays."""
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import values_per_user

    interactions = split.train
    plays = last_plays(interactions, rows, n_plays)
    shortened = with_plays_only(interactions, rows, plays)
    held_out = replace(Split.of(shortened, held_out_pairs(split, rows)), train=shortened)
    refit = Recommender.named(name).fit(shortened)
    ids, filters = interactions.users.ids(rows), Filters.of(shortened)
    rankings = {
        "folded": without.recommend_by_history(plays, K, filters=filters),
        "refit": refit.recommend(ids, K, filters=filters),
    }
    return {way: values_per_user(ranking, held_out, ndcg_at_k, k=K) for way, ranking in rankings.items()}


def last_plays(interactions: Interactions, rows: Any, n_plays: int) -> pl.DataFrame:
    """Return the latest pairs of some users, at most `n_plays` per user."""
    return pairs_of(interactions.of_users(rows)).sort("user_id", "age_days").group_by("user_id").head(n_plays)


def with_plays_only(interactions: Interactions, rows: Any, plays: pl.DataFrame) -> Interactions:
    """Return the interactions with those of some users replaced by `plays`."""
    pairs = pl.concat([pairs_of(without_users(interactions, rows)), plays.select(pairs_of(interactions).columns)])
    catalogue = pl.DataFrame({"track_id": interactions.tracks.ids()})
    replaced = Interactions.of(pairs, catalogue=catalogue, as_of=interactions.as_of)
    return replace(replaced, track_features=interactions.track_features)


def pairs_of(interactions: Interactions) -> pl.DataFrame:
    """Return the liked pairs: user_id, track_id, strength, age_days."""
    pairs = interactions.matrix.tocoo()
    ids = {"user_id": interactions.users.ids(pairs.row), "track_id": interactions.tracks.ids(pairs.col)}
    return pl.DataFrame({**ids, "strength": pairs.data, "age_days": interactions.age_days})


def held_out_pairs(split: Split, rows: Any) -> pl.DataFrame:
    """Return the held-out pairs of some users in the test window: user_id, track_id."""
    pairs = split.test[rows].tocoo()
    return pl.DataFrame(
        {"user_id": split.train.users.ids(rows[pairs.row]), "track_id": split.train.tracks.ids(pairs.col)}
    )


if __name__ == "__main__":
    main()
