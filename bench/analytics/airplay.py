"""
Whose songs country radio plays: share of airplay by artist gender, by station owner and by hour, with 95 % intervals.

29 stations on 20 days of 2022. Adverts are left out; an owner spelled in two ways is one. Intervals draw days of
stations again, with all their plays: songs of one station and day are chosen together.
"""

from pathlib import Path

import numpy as np
import polars as pl

from bench.options import benchmark, data_folder, size

DRAWS, SEED = 2000, 7
GENDERS = ("women", "male-female", "men")


@benchmark(headline=r"women +(0\.\d{3}) \[")
@size("--draws", "n_draws", default=DRAWS, smallest=20, help="Samples of the intervals.")
def main(n_draws: int) -> None:
    """Print the shares over all, by owner and by hour of the day."""
    plays = read_plays(data_folder() / "country_radio_2022" / "plays.parquet")
    print(f"{plays.height:,} plays of songs, {plays.select('station', 'date').n_unique()} days of stations")
    for gender in GENDERS:
        print(f"{gender:<16} {shown(shares(plays.with_columns(every=pl.lit('all')), 'every', gender, n_draws))}")
    for column in ("owner", "hour"):
        print(f"\nwomen alone, by {column}")
        table = shares(plays, column, "women", n_draws)
        for name in table[column]:
            print(f"  {name:<16} {shown(table.filter(pl.col(column) == name))}")


def read_plays(path: Path) -> pl.DataFrame:
    """Read the songs played: station, date, owner, hour (local), gender of the artists (unknown where not told)."""
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
    """Share of a gender in the plays of each group: the group, share, low, high, n_plays."""
    days = (
        plays.group_by(*dict.fromkeys((column, "station", "date")))
        .agg(n=pl.len(), n_of=(pl.col("gender") == gender).sum())
        .sort(column, "station", "date")
    )
    rows = []
    for (name,), group in days.group_by(column, maintain_order=True):
        n, n_of = group["n"].to_numpy(), group["n_of"].to_numpy()
        drawn = np.random.default_rng(SEED).integers(0, len(n), (n_draws, len(n)))
        low, high = np.quantile(n_of[drawn].sum(axis=1) / n[drawn].sum(axis=1), [0.025, 0.975])
        rows.append((name, float(n_of.sum() / n.sum()), float(low), float(high), int(n.sum())))
    return pl.DataFrame(rows, [column, "share", "low", "high", "n_plays"], orient="row")


def shown(table: pl.DataFrame) -> str:
    """Write one group's figures."""
    _, share, low, high, n_plays = table.row(0)
    return f"{share:.3f} [{low:.3f}, {high:.3f}] of {n_plays:,}"


if __name__ == "__main__":
    main()
