"""
Listeners with 1, 3 and 5 plays, folded in, against models fitted again with those plays: nDCG@10 on LFM-1M.

500 listeners who choose something in the test window are taken out of training; of each, the last n plays before the
window come back, once by `fold_in` and once as part of a new fit. Same listeners, same plays: the difference is paired.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from bench.options import benchmark, size, size_argument
from bench.splits import written
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters

MODELS = ("popular", "item_knn", "user_knn", "als", "lightfm", "bpr", "ease", "sequential")
K, SEED = 10, 7


@benchmark(headline=r"popular +5 +(0\.\d{4})")
@size_argument("models", nargs=-1, default=MODELS, smallest=MODELS[:1])
@size("--listeners", "n_listeners", default=500, smallest=50, help="Taken out of training and folded in.")
def main(models: tuple[str, ...], n_listeners: int) -> None:
    """Print a line for each model and number of plays."""
    from recsys.evaluate.significance import difference_interval
    from recsys.experiments.protocols import fixed

    cut = fixed(written("lfm1m")).test
    chosen = newcomers(cut, n_listeners)
    print(f"{'model':<12}{'plays':>6}{'refit':>9}{'folded':>9}{'ratio':>8}  difference [95 %]")
    for name in models:
        without = Recommender.named(name).fit(known_only(cut.train, chosen))
        for n_plays in (1, 3, 5):
            values = both(name, without, cut, chosen, n_plays)
            ratio = values["folded"].mean() / values["refit"].mean()
            low, high = difference_interval(values["folded"], values["refit"], seed=SEED)[1:3]
            means = "".join(f"{values[way].mean():9.4f}" for way in ("refit", "folded"))
            print(f"{name:<12}{n_plays:>6}{means}{ratio:8.3f}  [{low:+.4f}, {high:+.4f}]", flush=True)


def newcomers(cut: Split, n: int) -> Any:
    """Rows of the listeners taken out: all have 5 plays at least, and choose something in the test window."""
    fit = (np.diff(cut.test.indptr) > 0) & (np.diff(cut.train.matrix.indptr) >= 5)
    return np.sort(np.random.default_rng(SEED).choice(np.flatnonzero(fit), n, replace=False))


def known_only(interactions: Interactions, left_out: Any) -> Interactions:
    """Everybody but some."""
    return interactions.of_users(np.setdiff1d(np.arange(len(interactions.users)), left_out))


def both(name: str, without: Any, cut: Split, chosen: Any, n_plays: int) -> dict[str, Any]:
    """Return nDCG of each newcomer, folded in and fitted again."""
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import values_per_user

    interactions = cut.train
    plays = last_plays(interactions, chosen, n_plays)
    shortened = with_only(interactions, chosen, plays)
    judged = replace(Split.of(shortened, found(cut, chosen)), train=shortened)
    refit = Recommender.named(name).fit(shortened)
    ids, nothing = interactions.users.ids(chosen), Filters.of(shortened)
    rankings = {
        "folded": without.recommend_by_history(plays, K, filters=nothing),
        "refit": refit.recommend(ids, K, filters=nothing),
    }
    return {way: values_per_user(ranking, judged, ndcg_at_k, k=K) for way, ranking in rankings.items()}


def last_plays(interactions: Interactions, chosen: Any, n_plays: int) -> pl.DataFrame:
    """Return the latest pairs of some listeners."""
    return pairs_of(interactions.of_users(chosen)).sort("user_id", "age_days").group_by("user_id").head(n_plays)


def with_only(interactions: Interactions, chosen: Any, plays: pl.DataFrame) -> Interactions:
    """Return everybody, the chosen with these plays alone."""
    pairs = pl.concat([pairs_of(known_only(interactions, chosen)), plays.select(pairs_of(interactions).columns)])
    made = Interactions.of(
        pairs, catalogue=pl.DataFrame({"track_id": interactions.tracks.ids()}), as_of=interactions.as_of
    )
    return replace(made, track_features=interactions.track_features)


def pairs_of(interactions: Interactions) -> pl.DataFrame:
    """Return the liked pairs as a frame."""
    pairs = interactions.matrix.tocoo()
    ids = {"user_id": interactions.users.ids(pairs.row), "track_id": interactions.tracks.ids(pairs.col)}
    return pl.DataFrame({**ids, "strength": pairs.data, "age_days": interactions.age_days})


def found(cut: Split, chosen: Any) -> pl.DataFrame:
    """Return what the chosen listeners chose in the test window."""
    pairs = cut.test[chosen].tocoo()
    return pl.DataFrame(
        {"user_id": cut.train.users.ids(chosen[pairs.row]), "track_id": cut.train.tracks.ids(pairs.col)}
    )


if __name__ == "__main__":
    main()
