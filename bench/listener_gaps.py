"""
For whom our recommenders are worse, on real listeners: nDCG@10 by gender and age band, and groups' gaps to all others.

4,817 listeners of Last.fm with what they told of themselves; tracks they took up in the last days, cut at the same day
for everybody; full ranking. Intervals draw listeners again; a gap is one where its interval leaves out 0. Settings are
found on the validation days. Intervals are not corrected for the number of groups.
"""

from typing import TYPE_CHECKING

import click
import polars as pl

from bench.options import benchmark, size
from bench.splits import written

if TYPE_CHECKING:
    from recsys.experiments.comparison import Comparison

NAMES = ("popular", "als", "ease", "blend")
KINDS = ("gender", "age_band")


@benchmark(headline=r"popular .* listeners +(0\.\d{4}) \[")
@click.option("--trials", "n_trials", default=1, show_default=True, help="Settings tried per recommender.")
@size("--recommender", "names", multiple=True, default=NAMES, smallest=NAMES[:1], help="Several times for several.")
def main(n_trials: int, names: tuple[str, ...]) -> None:
    """Print, for each recommender, every group's nDCG and its gap with intervals."""
    from recsys.experiments.comparison import ComparisonSettings, compare
    from recsys.experiments.protocols import from_folder
    from recsys.experiments.tuning import Budget

    found = compare(from_folder(written("lfm1m")), names, ComparisonSettings(Budget(n_trials)))
    groups = measured(found)
    for kind in KINDS:
        print(f"\nnDCG@{found.k} by {kind}, and the gap to all other listeners")
        for name in names:
            print_groups(groups.filter(recommender=name, group_kind=kind), name)


def measured(found: "Comparison") -> pl.DataFrame:
    """Return nDCG and gap of every group of listeners, a row a recommender and group."""
    from recsys.evaluate.fairness import fairness_report

    cut = found.protocol.test
    one = pl.DataFrame({"track_id": cut.train.tracks.ids()}).with_columns(
        group_kind=pl.lit("all"), group_name=pl.lit("all")
    )
    gaps = fairness_report(found.rankings, cut, one, k=found.k)
    every = pl.concat([found.groups(), gaps], how="vertical_relaxed")
    of_listeners = every.filter(pl.col("metric").is_in(["ndcg", "ndcg_gap"]), pl.col("value").is_not_null())
    key = ["recommender", "group_kind", "group_name"]
    return of_listeners.pivot("metric", index=key, values=["value", "low", "high", "n_users"]).drop_nulls(
        "value_ndcg_gap"
    )


def print_groups(groups: pl.DataFrame, name: str) -> None:
    """Print the groups of one recommender, the best served first."""
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
