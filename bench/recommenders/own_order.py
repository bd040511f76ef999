"""
What the order of each listener's own plays is worth: nDCG@10 of EASE with it, beside EASE without an order.

LFM-1M, the last 20 % of each listener's first plays held out as the test: listeners are not compared on the same days,
and what tells is what they played last. The settings of each kind are chosen on validation, the last 20 % of what
remains, carved by `protocols.from_folder`; all other settings are the defaults. EASE without an order sees the same
tracks, all of the same age. The bar is 1.15 times its nDCG.
"""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl

from bench.options import benchmark, data_folder, size
from recsys.arrays import F64

if TYPE_CHECKING:
    from recsys.dataset.splits import Split

SEED, K, HELD_OUT = 7, 10, 0.2
BASELINE = "without an order"
DECAYS = ("recency", "rank_recency")  # by days, and by rank
NONE = dict.fromkeys(DECAYS, 0.0)


@benchmark(headline=r"chosen on validation: .* ratio (\d\.\d{3}) \[")
@size("--listeners", "n_listeners", default=1_000_000, smallest=60, help="Only the first so many.")
@size("--decay", "decays", multiple=True, type=float, default=(2.0, 4.0, 8.0), smallest=(4.0,), help="Decays.")
@size("--windows", multiple=True, type=float, default=(0.0, 1.0, 3.0), smallest=(1.0,), help="Weights of windows.")
def main(n_listeners: int, decays: tuple[float, ...], windows: tuple[float, ...]) -> None:
    """Choose decay and windows on validation, and print the metrics of each kind of decay and window on the test."""
    from recsys.experiments.protocols import from_folder

    with TemporaryDirectory() as folder:
        write_split(Path(folder), n_listeners)
        protocol = from_folder(Path(folder))
    test = protocol.test
    print(f"{len(test.train.users):,} listeners, {len(test.train.tracks):,} tracks, {test.test.nnz:,} held out")
    (base,) = ndcg(without_order(test), 0.0, [NONE])
    print(f"{BASELINE:<32} test {base.mean():.4f}", flush=True)
    found = []
    for weight in windows:
        settings = [NONE | {kind: decay} for kind in DECAYS for decay in decays]
        on_validation = zip(settings, ndcg(protocol.validation, weight, settings), strict=True)
        means = [(float(values.mean()), label(chosen), chosen) for chosen, values in on_validation]
        best = [max(mean for mean in means if mean[1].startswith(f"{kind} ")) for kind in DECAYS]
        on_test = ndcg(test, weight, [chosen for *_, chosen in best])
        for (mean, name, _), values in zip(best, on_test, strict=True):
            found.append((mean, compared(f"{name}, windows {weight:g}", mean, values, base)))
    print(f"chosen on validation: {max(found)[1]}")


def label(settings: dict[str, float]) -> str:
    """Name the decay that is not 0."""
    return next(f"{kind} {settings[kind]:g}" for kind in DECAYS if settings[kind])


def compared(kind: str, validation: float, values: F64, base: F64) -> str:
    """Print nDCG on validation and test, and the ratio to that without an order with its paired interval."""
    from recsys.evaluate.significance import compare_paired

    (row,) = compare_paired({kind: values, BASELINE: base}, BASELINE, seed=SEED).to_dicts()
    ratio = f"ratio {row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}], p {row['p_value']:.1g}"
    line = f"{kind:<32} validation {validation:.4f}, test {values.mean():.4f}, {ratio}"
    print(line, flush=True)
    return line


def write_split(folder: Path, n_listeners: int) -> None:
    """Write each listener's plays in their order: the last `HELD_OUT` as the test, the others as train."""
    plays = pl.read_parquet(data_folder() / "lfm1m_partial" / "interactions.parquet").filter(
        pl.col("user").cast(pl.Int64) < n_listeners
    )
    n_later = pl.col("timestamp").rank("ordinal", descending=True).over("user") - 1
    is_held_out = n_later < (pl.len().over("user") * HELD_OUT).ceil()
    rows = plays.select(is_held_out.alias("test"), user_id="user", item_id="item", timestamp="timestamp")
    for name, is_test in (("train", False), ("test", True)):
        rows.filter(pl.col("test") == is_test).drop("test").write_parquet(folder / f"{name}.parquet")


def without_order(split: "Split") -> "Split":
    """Return the split with the same age of all plays."""
    return replace(split, train=replace(split.train, age_days=0 * split.train.age_days))


def ndcg(split: "Split", window_weight: float, settings: list[dict[str, float]]) -> list[F64]:
    """
    Fit EASE once, and return its nDCG@10 with each setting of decays, one value per listener.

    Decays act when scores are computed, so each listener's history is folded in with each setting.
    """
    from recsys.evaluate.ranking import ndcg_at_k
    from recsys.evaluate.report import evaluated_users, values_per_user
    from recsys.recommenders.base import Recommender
    from recsys.recommenders.ease import EASEConfig
    from recsys.recommenders.parts.filters import Filters

    model = Recommender.named("ease", EASEConfig(window_weight=window_weight)).fit(split.train)
    evaluated, filters = split.train.users.ids(evaluated_users(split)), Filters.of(split.train)
    played = plays(split).filter(pl.col("user_id").is_in(evaluated.implode()))
    found = []
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
