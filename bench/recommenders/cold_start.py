"""
Cold start: nDCG@20 for tracks that nobody has played, with sound features and without.

HOME is the home of a nightly run on `recsys demo`, whose world has analysed recordings. Half of the analysed tracks are
removed from all interactions. Each recommender then ranks these cold tracks alone for the listeners who play them:
without sound (artist, genres, label, language, decade), with sound features as well, and with sound features shuffled
among the tracks, a control that must show no gain. In the demo world preferences follow sound by design, so the figures
show that the mechanism works, not how well it works on real music. Intervals are bootstrapped over listeners.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from bench.options import benchmark, home_argument, size
from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.sound_features import sound_features
from recsys.home import Home
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

K, SEED = 20, 7
NAMES = ("content", "ease", "als", "lightfm")


def compare(
    pairs: pl.DataFrame,
    measured: pl.DataFrame,
    names: tuple[str, ...],
    *,
    catalogue: pl.DataFrame,
    listeners: pl.DataFrame | None = None,
) -> None:
    """
    Remove half of the tracks that have features from all interactions, and print how each recommender ranks them.

    Args:
        pairs: The interactions: user_id, track_id, strength and optional columns (see `Interactions.of`).
        measured: Features of tracks: track_id, name, weight.
        names: Recommenders.
        catalogue: As in `Interactions.of`.
        listeners: As in `Interactions.of`.
    """
    rng = np.random.default_rng(SEED)
    tracks = measured["track_id"].unique().sort()
    cold = pl.Series(rng.choice(tracks.to_numpy(), len(tracks) // 2, replace=False))
    is_cold = pl.col("track_id").is_in(cold.implode())
    base = Interactions.of(pairs.filter(~is_cold), catalogue=catalogue, listeners=listeners)
    played = pairs.filter(is_cold, pl.col("strength") > 0)
    users = played["user_id"].unique().sort()
    users = users.filter(pl.Series(base.users.find(users) >= 0, dtype=pl.Boolean))
    print(
        f"{len(cold)} of {len(tracks)} tracks with features are cold, {len(users):,} listeners; nDCG@{K} of cold tracks"
    )
    print("\nrecommender   without      with   shuffled   with / without (95 % interval)")
    draws = rng.integers(len(users), size=(1_000, len(users)))
    for name in names:
        values = {
            variant: ndcg(ranked(name, interactions, users, cold), played, users)
            for variant, interactions in variants(base, measured)
        }
        without, with_features, shuffled = (values[variant] for variant in ("without", "with", "shuffled"))
        low, high = np.percentile(with_features[draws].mean(axis=1) / without[draws].mean(axis=1), (2.5, 97.5))
        ratio = with_features.mean() / without.mean()
        means = f"{without.mean():>9.4f} {with_features.mean():>9.4f}  {shuffled.mean():>9.4f}"
        print(f"{name:<11} {means}   {ratio:.2f} ({low:.2f} to {high:.2f})")


def ranked(name: str, interactions: Interactions, users: pl.Series, cold: pl.Series) -> pl.DataFrame:
    """Fit a recommender, and rank the cold tracks alone."""
    filters = Filters.of(interactions).restricted_to(cold)
    return Recommender.named(name).fit(interactions).recommend(users, K, filters=filters)


def variants(base: Interactions, measured: pl.DataFrame) -> Iterator[tuple[str, Interactions]]:
    """Yield the interactions without features, with them, and with those of other tracks."""
    yield "without", base
    tracks = measured["track_id"].unique().sort()
    others = tracks.gather(np.random.default_rng(SEED).permutation(len(tracks)))
    of_others = measured.with_columns(pl.col("track_id").replace_strict(tracks, others))
    for name, frame in (("with", measured), ("shuffled", of_others)):
        features = Features.weighted(base.tracks, frame)
        yield name, replace(base, track_features=base.track_features.concat(features))


def ndcg(ranked: pl.DataFrame, played: pl.DataFrame, users: pl.Series) -> np.ndarray:
    """Return nDCG@20 per listener, shape (n_users,)."""
    relevant = {user: set(tracks) for user, tracks in played.group_by("user_id").agg("track_id").iter_rows()}
    lists = dict(ranked.sort("rank").group_by("user_id", maintain_order=True).agg("track_id").iter_rows())
    discount = 1 / np.log2(np.arange(2, K + 2))
    return np.array(
        [
            sum(discount[rank] for rank, track in enumerate(lists.get(user, [])) if track in relevant[user])
            / discount[: len(relevant[user])].sum()
            for user in users
        ]
    )


@benchmark(headline=r"content +(\d\.\d{4})")
@home_argument
@size("--recommender", "names", multiple=True, default=NAMES, smallest=NAMES[:1], help="Model; may be repeated.")
def main(home: Path, names: tuple[str, ...]) -> None:
    """Print one line per recommender."""
    with Warehouse.open(Home(home).published_warehouse()) as warehouse:
        pairs = warehouse.query(
            internal_sql("listened_pairs"), {"since": date.min, "until": date.max.replace(year=2100)}
        )
        catalogue = warehouse.query(internal_sql("features_of_tracks"))
        listeners = warehouse.query(internal_sql("features_of_listeners"))
        sound = warehouse.query(internal_sql("sound_of_tracks"))
    compare(pairs, sound_features(sound), names, catalogue=catalogue, listeners=listeners)
    print("\nbar: with / without >= 1.5; shuffled no better than without, beyond noise")


if __name__ == "__main__":
    main()
