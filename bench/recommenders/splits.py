"""
Splits for comparing recommenders, each written as a folder of Parquet files that every library can read.

A folder holds train, validation and test.parquet (user_id, item_id and, where known, weight and timestamp) and, where
known, item_features and user_features.parquet (the id, feature such as 'genre=Rock', weight where known). A pair of
`test` that is also in train or validation is dropped. `candidates.parquet` (item_id), where present, names the only
items that may be recommended. Real data is read from the folder named by RECSYS_DATA.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import click
import numpy as np
import polars as pl

from bench.options import benchmark, data_folder, size_argument
from bench.peers.environments import BENCH

SEED = 7
COLD_SHARE = 0.1  # of the artists, hidden for the test; the same number again is hidden for validation
LAST_TEST_DAY, WINDOW = date(2014, 4, 1), timedelta(days=28)
PAIR = ["user_id", "item_id"]


@dataclass(frozen=True, eq=False)
class Split:
    """One split; an optional table is None where the data set has none."""

    train: pl.DataFrame
    validation: pl.DataFrame
    test: pl.DataFrame
    item_features: pl.DataFrame | None = None
    user_features: pl.DataFrame | None = None
    candidates: pl.DataFrame | None = None

    def write(self, folder: Path) -> None:
        """Write each table to its file, rows sorted, so that the same split gives the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in vars(self).items():
            path = folder / f"{name}.parquet"
            if table is None:
                path.unlink(missing_ok=True)
                continue
            rows = table.join(self._known(), on=PAIR, how="anti") if name == "test" else table
            temporary = path.with_suffix(f".{os.getpid()}")
            rows.sort(rows.columns[:2]).write_parquet(temporary)
            temporary.replace(path)  # a comparison running at the same time reads whole files

    def _known(self) -> pl.DataFrame:
        return pl.concat([self.train.select(PAIR), self.validation.select(PAIR)])


def hetrec(data: Path) -> Split:
    """Read HetRec 2011: Last.fm listeners and artists, with play counts and tags, split at random within listeners."""
    return Split(
        **{path.stem: pl.read_parquet(path) for path in (data / "hetrec2011_lastfm2k/split").glob("*.parquet")}
    )


def cpfair(data: Path) -> Split:
    """Read the split of HetRec 2011 published with CPFair, without names or tags."""
    columns = {"user_id": pl.Int64, "item_id": pl.Int64, "weight": pl.Float64}
    train, validation, test = (
        pl.read_csv(
            data / f"hetrec2011_lastfm2k/cpfair/LastFM_{part}.txt",
            separator="\t",
            has_header=False,
            columns=[0, 1, 2],
            schema_overrides=[pl.Int64, pl.Int64, pl.String],
            new_columns=list(columns),
        ).with_columns(pl.col("weight").str.strip_chars().cast(pl.Float64))
        for part in ("train", "tune", "test")
    )
    return Split(train, validation, test)


def lfm1m(data: Path) -> Split:
    """Read LFM-1M: first plays of tracks, split at the same two days (UTC) for everybody; later rows are dropped."""
    folder = data / "lfm1m_partial"
    pairs = pl.read_parquet(folder / "interactions.parquet").select(
        pl.col("user").cast(pl.Int64).alias("user_id"),
        pl.col("item").cast(pl.Int64).alias("item_id"),
        pl.col("timestamp").cast(pl.Int64),
    )
    day = pl.from_epoch("timestamp").dt.date()
    validation_ends = LAST_TEST_DAY - WINDOW
    train_ends = validation_ends - WINDOW
    return Split(
        train=pairs.filter(day <= train_ends),
        validation=pairs.filter((day > train_ends) & (day <= validation_ends)),
        test=pairs.filter((day > validation_ends) & (day <= LAST_TEST_DAY)),
        item_features=_lfm1m_tracks(pl.read_parquet(folder / "tracks.parquet")),
        user_features=_lfm1m_listeners(pl.read_parquet(folder / "users.parquet")),
    )


def _lfm1m_tracks(tracks: pl.DataFrame) -> pl.DataFrame:
    """Return artist and genres as features; a genre without a name is identified by its number."""
    item = pl.col("new_id").alias("item_id")
    genres = tracks.explode("kg_genres", empty_as_null=True, keep_nulls=True).filter(pl.col("kg_genres").is_not_null())
    return pl.concat(
        [
            tracks.select(item, ("artist=" + pl.col("provider_id").cast(pl.String)).alias("feature")),
            tracks.select(item, ("genre=" + pl.col("genre").cast(pl.String)).alias("feature")),
            genres.select(item, ("genre=" + pl.col("kg_genres")).alias("feature")),
        ]
    ).unique()


def _lfm1m_listeners(listeners: pl.DataFrame) -> pl.DataFrame:
    """Return gender and age band as features; no row where the value is unknown."""
    user = pl.col("new_id").alias("user_id")
    return pl.concat(
        [
            listeners.select(user, ("gender=" + pl.col("gender")).alias("feature")),
            listeners.select(user, ("age_band=" + pl.col("age")).alias("feature")),
        ]
    ).filter(pl.col("feature").is_not_null())


def cold(data: Path) -> Split:
    """
    Make a cold-start split of HetRec 2011: test artists have no plays in training and are known by their tags alone.

    All plays of a hidden artist are held out. Only artists with at least one tag are hidden.
    """
    whole = hetrec(data)
    pairs = pl.concat([whole.train, whole.validation, whole.test]).sort(PAIR)
    assert whole.item_features is not None  # noqa: S101 - it is in the folder
    tagged = pairs.join(whole.item_features, on="item_id", how="semi")["item_id"].unique().sort().to_numpy()
    n_hidden = round(COLD_SHARE * pairs["item_id"].n_unique())
    drawn = np.random.default_rng(SEED).permutation(tagged)
    for_test, for_validation = drawn[:n_hidden].tolist(), drawn[n_hidden : 2 * n_hidden].tolist()
    return Split(
        train=pairs.filter(~pl.col("item_id").is_in(for_test + for_validation)),
        validation=pairs.filter(pl.col("item_id").is_in(for_validation)),
        test=pairs.filter(pl.col("item_id").is_in(for_test)),
        item_features=whole.item_features,
        candidates=pl.DataFrame({"item_id": sorted(for_test)}),
    )


SPLITS: dict[str, Callable[[Path], Split]] = {"hetrec": hetrec, "cpfair": cpfair, "lfm1m": lfm1m, "cold": cold}


def written_split(name: str) -> Path:
    """Write a split into the folder that benchmarks share, and return it; raises Missing without RECSYS_DATA."""
    folder = BENCH / "splits" / name
    SPLITS[name](data_folder()).write(folder)
    return folder


@benchmark(headline=r"train +([\d,]+) rows")
@size_argument("name", type=click.Choice(list(SPLITS)), smallest="hetrec")
@size_argument("folder", type=click.Path(path_type=Path, file_okay=False), smallest=BENCH / "splits" / "hetrec")
def main(name: str, folder: Path) -> None:
    """Write a split into a folder and print the number of rows per table."""
    split = SPLITS[name](data_folder())
    split.write(folder)
    for path in sorted(folder.glob("*.parquet")):
        print(f"{path.stem:<16} {pl.scan_parquet(path).select(pl.len()).collect().item():>11,} rows")


if __name__ == "__main__":
    main()
