"""
What a listener hears again within a week, and when: the repeat model beside the rules that players use.

All tracks that a listener has heard are ranked, and those heard again in the next week are relevant: nDCG@10, its ratio
to the best rule and the paired 95 % interval. The half-life of the rule with a decay is chosen in the week before, the
test is the last week of the log; the model is fitted to the week before each. Due days are measured on the last four
weeks: of pairs that are due within so many days, half should be heard by then. The listens are those of a demo world
with 4,000 recordings; LFM-1M has first plays alone, so there an artist is heard again, by another recording.
"""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
import polars as pl

from bench.options import benchmark, data_folder, size
from recsys.arrays import F64

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

K, SEED, N_TRACKS = 10, 7, 4_000
DUE_DAYS = (0, 3, 7, 14, 21, 28)  # ends of the groups of pairs whose due days are measured
HALF_LIVES_DAYS = (7, 14, 30, 60, 120)
MODEL = "the model"
LFM_ENDS = date(2014, 4, 1)  # the log has few listeners after it


@benchmark(headline=r"the model +(0\.\d{4})")
@click.option("--data", type=click.Choice(["demo", "lfm1m"]), default="demo", show_default=True, help="Listens.")
@size("--scale", default=1.0, smallest=0.1, help="Size of the demo world; 1 is 2,500 listeners.")
def main(data: str, scale: float) -> None:
    """Print the quality of each rule and of the model, and how well its probabilities and due days hold."""
    from recsys.evaluate.significance import compare_paired

    days = lfm1m_days() if data == "lfm1m" else demo_days(scale)
    warehouse, end = warehouse_of(days), days["listen_date"].max()
    assert isinstance(end, date)  # noqa: S101 - the column has dates
    half_life = best_half_life(*held_out(warehouse, end - timedelta(days=7)))
    pairs, heard = held_out(warehouse, end)
    values = {name: ndcg(pairs, heard, score) for name, score in scores(pairs, half_life).items()}
    print(f"{len(values[MODEL]):,} listeners with a repeat, {len(pairs):,} pairs, {heard.mean():.1%} heard again")
    best = max(values.keys() - {MODEL}, key=lambda name: values[name].mean())
    compared = {row["recommender"]: row for row in compare_paired(values, best, seed=SEED).to_dicts()}
    for name, value in values.items():
        print(f"{name:<28}{value.mean():.4f}{interval(compared.get(name))}")
    print_calibration(pairs["odds"].to_numpy(), heard)
    print_due(warehouse, end - timedelta(days=DUE_DAYS[-1]))


def interval(row: dict[str, float] | None) -> str:
    """Return the ratio to the best rule with its interval; nothing for this rule itself."""
    return f"  ratio {row['ratio']:.3f} [{row['ratio_low']:.3f}, {row['ratio_high']:.3f}]" if row else ""


def scores(pairs: pl.DataFrame, half_life_days: int) -> dict[str, F64]:
    """Return the score of each pair: by rules that need no fit, and by the model."""
    plays, age_days = pairs["n_plays"].to_numpy(), pairs["age_days"].to_numpy()
    return {
        "most played": plays,
        "most recent": -pairs["n_later"].to_numpy(),
        f"plays, half-life {half_life_days} days": plays * 0.5 ** (age_days / half_life_days),
        "activation by days": pairs["day_activation"].to_numpy(),
        MODEL: pairs["odds"].to_numpy(),
    }


def best_half_life(pairs: pl.DataFrame, heard: F64) -> int:
    """Return the half-life of the rule with a decay that ranks best [d]."""
    plays, age_days = pairs["n_plays"].to_numpy(), pairs["age_days"].to_numpy()
    return max(HALF_LIVES_DAYS, key=lambda days: ndcg(pairs, heard, plays * 0.5 ** (age_days / days)).mean())


def held_out(warehouse: "Warehouse", end: date) -> tuple[pl.DataFrame, F64]:
    """Return the pairs heard a week before a day, with the odds of the model, and whether each was heard since."""
    from recsys.recommenders.parts.repeats import HORIZON_DAYS, hearing_again, is_among
    from recsys.warehouse.internal import internal_sql

    until = end - timedelta(days=HORIZON_DAYS)
    pairs = hearing_again(warehouse, until).sort("user_id", "track_id")
    later = warehouse.query(internal_sql("played_pairs"), {"since": until + timedelta(days=1), "until": end})
    return pairs, is_among(pairs, later).astype(np.float64)


def ndcg(pairs: pl.DataFrame, heard: F64, score: F64) -> F64:
    """Return nDCG@10 of each listener who heard a track again, ties broken by the row; listeners sorted by id."""
    from recsys.evaluate.ranking import EvaluatedLists, ndcg_at_k

    user = pairs["user_id"].rank("dense").to_numpy().astype(np.int64) - 1
    order = np.lexsort((-score, user))
    counts = np.bincount(user)
    rank = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    hits = np.zeros((len(counts), K), np.bool_)
    is_shown = rank < K
    hits[user[order][is_shown], rank[is_shown]] = heard[order][is_shown] > 0
    n_relevant = np.bincount(user, heard).astype(np.int64)
    return ndcg_at_k(EvaluatedLists(hits, n_relevant), K)[n_relevant > 0]


def print_calibration(odds: F64, heard: F64) -> None:
    """Print the expected calibration error, and how many of the pairs due within the week were heard in it."""
    share = odds / (1 + odds)
    tenths = np.array_split(np.argsort(share), 10)
    error = sum(abs(share[rows].sum() - heard[rows].sum()) for rows in tenths) / len(share)
    print(f"expected calibration error by tenths: {error:.4f}")
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 1.0)):
        rows = (share >= low) & (share < high)
        if rows.any():
            means = f"{share[rows].mean():.3f}, heard {heard[rows].mean():.3f}"
            print(f"probability {low} to {high}: {rows.sum():,} pairs, {means}")


def print_due(warehouse: "Warehouse", until: date) -> None:
    """Print the share of pairs that were heard within their due days, by due days."""
    from recsys.recommenders.parts.repeats import HORIZON_DAYS, hearing_again

    heard = warehouse.query(
        "select user_id, track_id, min(listen_date) as heard_on from marts.interactions_daily"
        " where listen_date > $until and n_plays > 0 group by user_id, track_id",
        {"until": until},
    )
    pairs = hearing_again(warehouse, until).with_columns(due_days=HORIZON_DAYS / pl.col("odds"))
    days = (pl.col("heard_on") - pl.lit(until)).dt.total_days()
    joined = pairs.join(heard, on=["user_id", "track_id"], how="left")
    is_heard = joined.select(joined["due_days"], heard=(days <= pl.col("due_days").round()).fill_null(value=False))
    for low, high in pairwise(DUE_DAYS):
        group = is_heard.filter(pl.col("due_days") > low, pl.col("due_days") <= high)
        share = group["heard"].sum() / max(len(group), 1)
        print(f"due within {low} to {high} days: {len(group):,} pairs, heard by then {share:.3f}")


def warehouse_of(days: pl.DataFrame) -> "Warehouse":
    """Return a warehouse in memory with these days: user_id, track_id, listen_date, n_plays, last_listened_at."""
    import duckdb

    from recsys.warehouse.query import Warehouse

    connection = duckdb.connect()
    connection.register("frame", days)
    connection.execute("create schema marts; create table marts.interactions_daily as select * from frame")
    connection.execute("create table marts.duplicate_links (track_id varchar, same_as varchar)")
    return Warehouse(connection, Path(":memory:"))


def demo_days(scale: float) -> pl.DataFrame:
    """Simulate a demo world and return its plays by day."""
    from bench.recommenders.worlds import completed
    from recsys.demo.world import World
    from recsys.demo.write import simulate

    world = World(scale=scale, n_tracks=N_TRACKS, n_tracks_with_audio=0)
    played = completed(world, simulate(world))
    seconds = (86_400 * (world.n_days - pl.col("age_days"))).round().cast(pl.Int64)
    first = world.as_of - timedelta(days=world.n_days - 1)
    return by_day(played.with_columns(started_at=pl.lit(first).cast(pl.Datetime("us")) + pl.duration(seconds=seconds)))


def lfm1m_days() -> pl.DataFrame:
    """Read the first plays of LFM-1M by day, with the artist in place of the recording."""
    folder = data_folder() / "lfm1m_partial"
    artists = pl.read_parquet(folder / "tracks.parquet").select(item="new_id", track_id=pl.col("provider_id"))
    plays = pl.read_parquet(folder / "interactions.parquet").with_columns(pl.col("item").cast(pl.Int64))
    named = plays.join(artists.cast({"item": pl.Int64, "track_id": pl.String}).drop_nulls(), on="item")
    started_at = pl.from_epoch("timestamp").cast(pl.Datetime("us"))
    days = by_day(named.select("track_id", user_id=pl.col("user").cast(pl.String), started_at=started_at))
    return days.filter(pl.col("listen_date") <= LFM_ENDS)


def by_day(plays: pl.DataFrame) -> pl.DataFrame:
    """Count the plays, user_id, track_id and started_at, of each pair and day."""
    days = plays.group_by("user_id", "track_id", listen_date=pl.col("started_at").dt.date())
    return days.agg(n_plays=pl.len(), last_listened_at=pl.col("started_at").max())


if __name__ == "__main__":
    main()
