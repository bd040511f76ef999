"""
Accuracy by listener group on real listeners: nDCG@10 by gender and age band, and each group's gap to all others.

4,817 listeners of Last.fm with self-reported gender and age. The relevant tracks are those that a listener first played
in the test days, which are the same days for everybody; all tracks are ranked. Intervals are bootstrapped over
listeners and not corrected for the number of groups; a line is marked as a gap where the interval excludes 0. Models
are tuned on the validation days.
"""

from typing import TYPE_CHECKING

import click
import polars as pl

from bench.options import benchmark, size
from bench.recommenders.splits import written_split

if TYPE_CHECKING:
    from recsys.experiments.comparison import Comparison

NAMES = ("popular", "als", "ease", "blend")
KINDS = ("gender", "age_band")


@benchmark(headline=r"popular .* listeners +(0\.\d{4}) \[")
@click.option("--trials", "n_trials", default=1, show_default=True, help="Tuning trials per recommender.")
@size("--recommender", "names", multiple=True, default=NAMES, smallest=NAMES[:1], help="Model; may be repeated.")
def main(n_trials: int, names: tuple[str, ...]) -> None:
    """Print nDCG and gap of every group, with intervals, for each recommender."""
    from recsys.experiments.comparison import ComparisonSettings, compare
    from recsys.experiments.protocols import from_folder
    from recsys.experiments.tuning import Budget

    comparison = compare(from_folder(written_split("lfm1m")), names, ComparisonSettings(Budget(n_trials)))
    groups = group_metrics(comparison)
    for kind in KINDS:
        print(f"\nnDCG@{comparison.k} by {kind}, and the gap to all other listeners")
        for name in names:
            print_groups(groups.filter(recommender=name, group_kind=kind), name)


def group_metrics(comparison: "Comparison") -> pl.DataFrame:
    """Return nDCG and gap of every listener group, one row per recommender and group."""
    from recsys.evaluate.fairness import fairness_report

    split = comparison.protocol.test
    one_track_group = pl.DataFrame({"track_id": split.train.tracks.ids()}).with_columns(
        group_kind=pl.lit("all"), group_name=pl.lit("all")
    )
    gaps = fairness_report(comparison.rankings, split, one_track_group, k=comparison.k)
    metrics = pl.concat([comparison.groups(), gaps], how="vertical_relaxed")
    of_listeners = metrics.filter(pl.col("metric").is_in(["ndcg", "ndcg_gap"]), pl.col("value").is_not_null())
    key = ["recommender", "group_kind", "group_name"]
    return of_listeners.pivot("metric", index=key, values=["value", "low", "high", "n_users"]).drop_nulls(
        "value_ndcg_gap"
    )


def print_groups(groups: pl.DataFrame, name: str) -> None:
    """Print the groups of one recommender, highest nDCG first."""
    for row in groups.sort("value_ndcg", descending=True).iter_rows(named=True):
        is_gap = row["low_ndcg_gap"] > 0 or row["high_ndcg_gap"] < 0
        print(
            f"  {name:<8} {row['group_name']:<9} {row['n_users_ndcg']:>5,} listeners  "
            f"{row['value_ndcg']:.4f} [{row['low_ndcg']:.4f}, {row['high_ndcg']:.4f}]  "
            f"{row['value_ndcg_gap']:+.4f} [{row['low_ndcg_gap']:+.4f}, {row['high_ndcg_gap']:+.4f}]"
            f"{'  a gap' if is_gap else ''}"
        )


if __name__ == "__main__":
    main()
