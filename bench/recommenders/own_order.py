"""
What the order of each listener's own plays is worth: nDCG@10 of EASE with it, beside EASE without an order.

LFM-1M, the last 20 % of each listener's first plays held out as the test: listeners are not compared on the same days,
and what tells is what they played last. The settings of each kind are chosen on validation, the last 20 % of what
remains, carved by `protocols.from_folder`; all other settings are the defaults. EASE without an order sees the same
tracks, all of the same age. The bar is 1.15 times its nDCG.

With `--next session` the test is each listener's next session alone: the first of the held-out plays and those that
follow within 30 minutes of the one before. With `--next track` it is the first of them alone. The settings are then
chosen on the next session or track of validation, and compared on the test with lists from the last plays alone, folded
in as the whole history, and with the sequential model.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
import numpy as np
import polars as pl

from bench.options import benchmark, data_folder, size
from recsys.arrays import F64

if TYPE_CHECKING:
    from recsys.dataset.splits import Split
    from recsys.recommenders.base import Recommender

SEED, K, HELD_OUT = 7, 10, 0.2
SESSION_GAP_S = 30 * 60  # a longer time between the starts of two plays ends a session
BASELINE = "without an order"
DECAYS = ("recency", "rank_recency")  # by days, and by rank
AHEAD = {  # which of a listener's held-out plays, oldest first, are predicted
    "all": pl.lit(value=True),
    "session": (pl.col("timestamp").diff() > SESSION_GAP_S).fill_null(value=False).cum_sum().over("user_id") == 0,
    "track": pl.int_range(pl.len()).over("user_id") == 0,
}
N_LATER = pl.int_range(pl.len()).over("user_id")  # of plays sorted by age
GAP_S = 86_400 * pl.col("age_days").diff()
QUERIES = {  # which of a listener's plays are folded in, latest first
    "last track": N_LATER == 0,
    "last 3 tracks": N_LATER < 3,
    "last 10 tracks": N_LATER < 10,
    "last session": (GAP_S > SESSION_GAP_S).fill_null(value=False).cum_sum().over("user_id") == 0,
}
NONE = dict.fromkeys(DECAYS, 0.0)


@benchmark(headline=r"chosen on validation: .* ratio (\d\.\d{3}) \[")
@size("--listeners", "n_listeners", default=1_000_000, smallest=60, help="Only the first so many.")
@size("--decay", "decays", multiple=True, type=float, default=(2.0, 4.0, 8.0), smallest=(4.0,), help="Decays.")
@size("--windows", multiple=True, type=float, default=(0.0, 1.0, 3.0), smallest=(1.0,), help="Weights of windows.")
@size("--next", "ahead", type=click.Choice(list(AHEAD)), default="all", smallest="session", help="What is predicted.")
def main(n_listeners: int, decays: tuple[float, ...], windows: tuple[float, ...], ahead: str) -> None:
    """Choose decay and windows on validation, and print the metrics of each kind of decay and window on the test."""
    from recsys.experiments.protocols import from_folder

    with TemporaryDirectory() as folder:
        rows = split_rows(n_listeners)
        write_split(Path(folder), rows)
        protocol = from_folder(Path(folder))
    validation, test = (narrowed(split, rows, ahead) for split in (protocol.validation, protocol.test))
    print(f"{len(test.train.users):,} listeners, {len(test.train.tracks):,} tracks, {test.test.nnz:,} held out")
    (base,) = ndcg(fitted(without_order(test), 0.0), without_order(test), [NONE])
    print(f"{BASELINE:<32} test {base.mean():.4f}", flush=True)
    found = []
    for weight in windows:
        settings = [NONE | {kind: decay} for kind in DECAYS for decay in decays]
        on_validation = zip(settings, ndcg(fitted(validation, weight), validation, settings), strict=True)
        means = [(float(values.mean()), label(chosen), chosen) for chosen, values in on_validation]
        best = [max(mean for mean in means if mean[1].startswith(f"{kind} ")) for kind in DECAYS]
        model = fitted(test, weight)
        on_test = ndcg(model, test, [chosen for *_, chosen in best])
        for (mean, name, _), values in zip(best, on_test, strict=True):
            found.append((mean, compared(f"{name}, windows {weight:g}", mean, values, base)))
        if ahead != "all":
            print_queries(model, test, weight, base)
    if ahead != "all":
        print_sequential(test, base)
    print(f"chosen on validation: {max(found)[1]}")


def print_queries(model: "Recommender[Any]", test: "Split", weight: float, base: F64) -> None:
    """Print nDCG of lists from a listener's last plays alone, without a decay."""
    for name, is_kept in QUERIES.items():
        (values,) = ndcg(model, test, [NONE], is_kept)
        compared(f"{name}, windows {weight:g}", np.nan, values, base)


def print_sequential(test: "Split", base: F64) -> None:
    """Print nDCG of the sequential model with default settings."""
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.base import Recommender
    from recsys.recommenders.parts.filters import Filters

    users = test.train.users.ids(evaluated_users(test))
    lists = Recommender.named("sequential").fit(test.train).recommend(users, K, filters=Filters.for_split(test))
    compared("sequential", np.nan, values_per_user(lists, test, ndcg_at_k, k=K), base)


def label(settings: dict[str, float]) -> str:
    """Name the decay that is not 0."""
    return next(f"{kind} {settings[kind]:g}" for kind in DECAYS if settings[kind])


def compared(kind: str, validation: float, values: F64, base: F64) -> str:
    """Print nDCG on validation and test, and the ratio to that without an order with its paired interval."""
    from recsys.evaluate.significance import compare_paired

    (row,) = compare_paired({kind: values, BASELINE: base}, BASELINE, seed=SEED).to_dicts()
    ratio = f"ratio {row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}], p {row['p_value']:.1g}"
    chosen = "" if np.isnan(validation) else f" validation {validation:.4f},"
    line = f"{kind:<32}{chosen} test {values.mean():.4f}, {ratio}"
    print(line, flush=True)
    return line


def split_rows(n_listeners: int) -> pl.DataFrame:
    """Return user_id, item_id and timestamp [s] of the plays; `test`: the last `HELD_OUT` of each listener's."""
    plays = pl.read_parquet(data_folder() / "lfm1m_partial" / "interactions.parquet").filter(
        pl.col("user").cast(pl.Int64) < n_listeners
    )
    n_later = pl.col("timestamp").rank("ordinal", descending=True).over("user") - 1
    is_held_out = n_later < (pl.len().over("user") * HELD_OUT).ceil()
    return plays.select(is_held_out.alias("test"), user_id="user", item_id="item", timestamp="timestamp")


def write_split(folder: Path, rows: pl.DataFrame) -> None:
    """Write the rows of the test and all others to a split folder."""
    for name, part in (("train", rows.filter(~pl.col("test"))), ("test", rows.filter("test"))):
        part.drop("test").write_parquet(folder / f"{name}.parquet")


def narrowed(split: "Split", rows: pl.DataFrame, ahead: str) -> "Split":
    """Return the split with those of its held-out plays that are `AHEAD`."""
    from recsys.dataset.splits import Split

    pairs = split.test.tocoo()
    names = {"user_id": split.train.users.ids(pairs.row), "track_id": split.train.tracks.ids(pairs.col)}
    times = rows.select(pl.col("user_id").cast(str), "timestamp", track_id=pl.col("item_id").cast(str))
    held_out = pl.DataFrame(names).join(times, on=list(names)).sort("user_id", "timestamp", "track_id")
    return Split.of(split.train, held_out.filter(AHEAD[ahead]))


def without_order(split: "Split") -> "Split":
    """Return the split with the same age of all plays."""
    return replace(split, train=replace(split.train, age_days=0 * split.train.age_days))


def fitted(split: "Split", window_weight: float) -> "Recommender[Any]":
    """Fit EASE to the training part of a split."""
    from recsys.recommenders.base import Recommender
    from recsys.recommenders.ease import EASEConfig

    return Recommender.named("ease", EASEConfig(window_weight=window_weight)).fit(split.train)


def ndcg(
    model: "Recommender[Any]", split: "Split", settings: list[dict[str, float]], is_kept: pl.Expr = AHEAD["all"]
) -> list[F64]:
    """
    Return the nDCG@10 of EASE with each setting of decays, one value per listener.

    Decays act when scores are computed, so each listener's history, or what is kept of it, is folded in anew.
    """
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.parts.filters import Filters

    evaluated, filters = split.train.users.ids(evaluated_users(split)), Filters.for_split(split)
    history = plays(split).filter(pl.col("user_id").is_in(evaluated.implode()))
    played, found = history.sort("user_id", "age_days", "track_id").filter(is_kept), []
    for decays in settings:
        model.scorer.config = replace(model.scorer.config, **decays)
        found.append(values_per_user(model.recommend_by_history(played, K, filters=filters), split, ndcg_at_k, k=K))
    return found


def plays(split: "Split") -> pl.DataFrame:
    """Return the training plays: user_id, track_id, strength and age_days."""
    train, pairs = split.train, split.train.matrix.tocoo()
    names = {"user_id": train.users.ids(pairs.row), "track_id": train.tracks.ids(pairs.col)}
    return pl.DataFrame(names).with_columns(strength=pl.Series(pairs.data), age_days=pl.Series(train.age_days))


if __name__ == "__main__":
    main()
