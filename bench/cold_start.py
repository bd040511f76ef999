"""
Cold start by sound: how well tracks that nobody has played are placed, with what is heard of them and without.

HOME is that of a night over `recsys demo`, which has recordings that were heard. Half of the tracks that were heard are
taken out of all listening; every recommender then ranks these alone for those who play them, once knowing artist,
genres, label, language and decade, once their sound too, and once a sound that was dealt out at random: that control
must show no gain. In this world taste follows sound by design, so the figures say that the mechanism works, not how
good it is on music. Intervals by bootstrap over listeners.
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


def variants(base: Interactions, heard: pl.DataFrame) -> Iterator[tuple[str, Interactions]]:
    """Yield the same listening without sound, with it, and with a sound of others."""
    yield "without", base
    order = np.random.default_rng(SEED).permutation(len(heard))
    for name, vectors in (("with", heard), ("shuffled", heard[order].with_columns(track_id=heard["track_id"]))):
        sound = Features.weighted(base.tracks, sound_features(vectors))
        yield name, replace(base, track_features=base.track_features.concat(sound))


def ndcg(ranked: pl.DataFrame, played: pl.DataFrame, users: pl.Series) -> np.ndarray:
    """Return nDCG@20 of each listener, shape (n_users,)."""
    relevant = {user: set(tracks) for user, tracks in played.group_by("user_id").agg("track_id").iter_rows()}
    lists = dict(ranked.sort("rank").group_by("user_id", maintain_order=True).agg("track_id").iter_rows())
    discount = 1 / np.log2(np.arange(2, K + 2))
    return np.array(
        [
            sum(discount[at] for at, track in enumerate(lists.get(user, [])) if track in relevant[user])
            / discount[: len(relevant[user])].sum()
            for user in users
        ]
    )


@benchmark(headline=r"content +(\d\.\d{4})")
@home_argument
@size("--recommender", "names", multiple=True, default=NAMES, smallest=NAMES[:1], help="Several times for several.")
def main(home: Path, names: tuple[str, ...]) -> None:
    """Print the table."""
    with Warehouse.open(Home(home).published_warehouse()) as warehouse:
        pairs = warehouse.query(
            internal_sql("listened_pairs"), {"since": date.min, "until": date.max.replace(year=2100)}
        )
        catalogue = warehouse.query(internal_sql("features_of_tracks"))
        listeners = warehouse.query(internal_sql("features_of_listeners"))
        heard = warehouse.query(internal_sql("sound_of_tracks"))
    rng = np.random.default_rng(SEED)
    cold = pl.Series(rng.choice(heard["track_id"].to_numpy(), len(heard) // 2, replace=False))
    is_cold = pl.col("track_id").is_in(cold.implode())
    base = Interactions.of(pairs.filter(~is_cold), catalogue=catalogue, listeners=listeners)
    played = pairs.filter(is_cold, pl.col("strength") > 0)
    users = played["user_id"].unique().sort()
    users = users.filter(pl.Series(base.users.find(users) >= 0, dtype=pl.Boolean))
    print(f"{len(cold)} cold tracks of {len(heard)} heard, {len(users):,} listeners; nDCG@{K} among the cold tracks\n")
    print("recommender   without      with   shuffled   with / without (95 % interval)")
    draws = rng.integers(len(users), size=(1_000, len(users)))
    for name in names:
        found = {}
        for variant, interactions in variants(base, heard):
            model = Recommender.named(name).fit(interactions)
            found[variant] = ndcg(
                model.recommend(users, K, filters=Filters.of(interactions).restricted_to(cold)), played, users
            )
        without, with_sound, shuffled = (found[each] for each in ("without", "with", "shuffled"))
        low, high = np.percentile(with_sound[draws].mean(axis=1) / without[draws].mean(axis=1), (2.5, 97.5))
        ratio = with_sound.mean() / without.mean()
        means = f"{without.mean():>9.4f} {with_sound.mean():>9.4f}  {shuffled.mean():>9.4f}"
        print(f"{name:<11} {means}   {ratio:.2f} ({low:.2f} to {high:.2f})")
    print("\nbar: 1.5; shuffled within noise of without, or below")


if __name__ == "__main__":
    main()
