"""
For whom our recommenders are worse, on real listeners: nDCG@10 by gender and age band, and groups' gaps to all others.

4,817 listeners of Last.fm with what they told of themselves; tracks they took up in the last days, cut at the same day
for everybody; full ranking. Intervals draw listeners again; a gap is one where its interval leaves out 0. Settings are
found on the validation days. Usage: python -m bench.listener_gaps [--trials 1]
"""

import argparse
from pathlib import Path

import polars as pl

from bench.splits import data_folder, lfm1m
from recsys.comparison import Comparison, Terms, compare
from recsys.protocols import fixed
from recsys.tune import Budget

FOLDER = Path(".bench/splits/lfm1m")
NAMES = ("popular", "als", "ease", "blend")
KINDS = ("gender", "age_band")


def main() -> None:
    """Print, for each recommender, every group's nDCG and its gap with intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1, help="settings tried a model")
    asked = parser.parse_args()
    lfm1m(data_folder()).write(FOLDER)
    found = compare(fixed(FOLDER), NAMES, Terms(Budget(asked.trials)))
    for kind in KINDS:
        print_kind(found, kind)


def print_kind(found: Comparison, kind: str) -> None:
    """Print the groups of one kind, a line a recommender and group."""
    groups = found.groups().filter(pl.col("group_kind") == kind, pl.col("metric").is_in(["ndcg", "ndcg_gap"]))
    print(f"\nnDCG@{found.k} by {kind}, and the gap to all other listeners")
    for name in NAMES:
        for row in _paired(groups.filter(recommender=name)).iter_rows(named=True):
            is_gap = row["low_ndcg_gap"] > 0 or row["high_ndcg_gap"] < 0
            print(
                f"  {name:<8} {row['group_name']:<9} {row['n_users_ndcg']:>5,} listeners  "
                f"{row['value_ndcg']:.4f} [{row['low_ndcg']:.4f}, {row['high_ndcg']:.4f}]  "
                f"{row['value_ndcg_gap']:+.4f} [{row['low_ndcg_gap']:+.4f}, {row['high_ndcg_gap']:+.4f}]"
                f"{'  a gap' if is_gap else ''}"
            )


def _paired(groups: pl.DataFrame) -> pl.DataFrame:
    measured = groups.filter(pl.col("value").is_not_null(), pl.col("group_name") != "all")
    wide = measured.pivot("metric", index="group_name", values=["value", "low", "high", "n_users"])
    return wide.drop_nulls("value_ndcg_gap").sort("value_ndcg", descending=True)


if __name__ == "__main__":
    main()
