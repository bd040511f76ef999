"""
Gender on country radio: share of airplay by artist gender, station owner and hour of the day, with 95 % intervals.

29 stations on 20 days of 2022. Adverts are left out, and two spellings of one owner are merged. Intervals are
bootstrapped over station-days, not plays, because one station programmes the songs of a day together.
"""

from pathlib import Path

import numpy as np
import polars as pl

from bench.options import benchmark, data_folder, size

DRAWS, SEED = 2000, 7
GENDERS = ("women", "male-female", "men")


@benchmark(headline=r"women +(0\.\d{3}) \[")
@size("--draws", "n_draws", default=DRAWS, smallest=20, help="Bootstrap samples per interval.")
def main(n_draws: int) -> None:
    """Print the shares of all plays, then those of women by owner and by hour of the day."""
    plays = read_plays(data_folder() / "country_radio_2022" / "plays.parquet")
    print(f"{plays.height:,} plays of songs, {plays.select('station', 'date').n_unique()} station-days")
    for gender in GENDERS:
        print(f"{gender:<16} {format_share(shares(plays.with_columns(every=pl.lit('all')), 'every', gender, n_draws))}")
    for column in ("owner", "hour"):
        print(f"\nwomen alone, by {column}")
        table = shares(plays, column, "women", n_draws)
        for group in table[column]:
            print(f"  {group:<16} {format_share(table.filter(pl.col(column) == group))}")


def read_plays(path: Path) -> pl.DataFrame:
    """Read the songs played: station, date, owner, local hour, gender of the artists ('unknown' where missing)."""
    return (
        pl.read_parquet(path)
        .filter(pl.col("artist") != "SPOT BREAK")
        .select(
            "station",
            "date",
            owner=pl.col("owner").str.replace("^COX$", "Cox"),
            hour=pl.col("played_at").dt.hour(),
            gender=pl.col("gender").replace("na", None).fill_null("unknown"),
        )
    )


def shares(plays: pl.DataFrame, column: str, gender: str, n_draws: int = DRAWS) -> pl.DataFrame:
    """
    Compute the share of plays by artists of one gender in each group.

    Args:
        plays: As `read_plays` returns them.
        column: The column to group by.
        gender: A value of `gender`.
        n_draws: Bootstrap samples of the 95 % interval.

    Returns:
        The group, share (0..1), low and high (the interval), n_plays.
    """
    days = (
        plays.group_by(*dict.fromkeys((column, "station", "date")))
        .agg(n=pl.len(), n_gender=(pl.col("gender") == gender).sum())
        .sort(column, "station", "date")
    )
    rows = []
    for (name,), group in days.group_by(column, maintain_order=True):
        n, n_gender = group["n"].to_numpy(), group["n_gender"].to_numpy()
        drawn = np.random.default_rng(SEED).integers(0, len(n), (n_draws, len(n)))
        low, high = np.quantile(n_gender[drawn].sum(axis=1) / n[drawn].sum(axis=1), [0.025, 0.975])
        rows.append((name, float(n_gender.sum() / n.sum()), float(low), float(high), int(n.sum())))
    return pl.DataFrame(rows, [column, "share", "low", "high", "n_plays"], orient="row")


def format_share(table: pl.DataFrame) -> str:
    """Format the share, interval and number of plays of one group."""
    _, share, low, high, n_plays = table.row(0)
    return f"{share:.3f} [{low:.3f}, {high:.3f}] of {n_plays:,}"


if __name__ == "__main__":
    main()
