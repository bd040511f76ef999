"""
The protocol published with Yambda-5B: a global temporal split with a gap, organic and recommended plays apart.

The last day of the log is the test, the day before it validation, and half an hour before each is left out. A play
counts from half of the recording on (Listen+). Listeners without plays in training are left out, and what a listener
has played may be recommended, since people listen again. nDCG, recall and coverage of the catalogue are those of lists
of 10 and 100, for all plays of the test, for those that listeners chose themselves (organic), and for those that a
recommender led to. Settings are the defaults, or with --trials chosen by nDCG@100 on validation.

--listens names a flat file of the data set (listens.parquet: uid, item_id, timestamp [s], is_organic, played_ratio_pct)
or any file of that form. Without it, the log of a demo world is brought into that form; with --lfm1m, LFM-1M is, which
has no durations and does not say what led to a play.

Source:
    Ploshkin et al., Yambda-5B: A Large-Scale Multi-modal Dataset for Ranking and Retrieval (2025).
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import numpy as np
import polars as pl

from bench.options import Missing, benchmark, data_folder, size

if TYPE_CHECKING:
    from recsys.dataset.splits import Split
    from recsys.experiments.comparison import Comparison

SEED, MIN_PLAYED_PCT, GAP_S, DAY_S = 7, 50, 1_800, 86_400
LENGTHS, METRICS = (10, 100), ("ndcg", "recall", "coverage")
COLUMNS = ("uid", "item_id", "timestamp", "is_organic", "played_ratio_pct")
KINDS = {"all": pl.lit(value=True), "organic": pl.col("is_organic") == 1, "recommended": pl.col("is_organic") == 0}
BIN_S = 5  # Yambda's times are rounded to so many seconds


@benchmark(headline=r"blend +all +(\d\.\d{4})")
@click.option("--listens", type=click.Path(path_type=Path, dir_okay=False), help="Flat file to read.")
@click.option("--lfm1m", is_flag=True, help="Split LFM-1M, whose last weeks have too few plays for days.")
@size("--test-days", type=float, default=1.0, smallest=1.0, help="Length of validation and test [d].")
@size("--scale", type=float, default=1.0, smallest=0.04, help="Size of the demo world; 1 is 2,500 listeners.")
@size("--model", "models", multiple=True, default=("popular", "item_knn", "als", "ease", "sequential", "blend"),
      smallest=("popular", "blend"), help="Recommenders.")  # fmt: skip
@size("--trials", type=int, default=1, smallest=1, help="Settings tried per recommender; 1 is the defaults.")
def main(
    listens: Path | None, *, lfm1m: bool, test_days: float, scale: float, models: tuple[str, ...], trials: int
) -> None:
    """Split the log, fit the recommenders, and print their metrics by kind of play."""
    from recsys.experiments.comparison import ComparisonSettings, compare
    from recsys.experiments.protocols import from_folder
    from recsys.experiments.tuning import Budget

    log = flat_file(listens) if listens else lfm1m_log() if lfm1m else demo_log(scale)
    parts = split(log, test_days * DAY_S)
    with TemporaryDirectory() as folder:
        for name, rows in parts.items():
            rows.select(user_id="uid", item_id="item_id", timestamp="timestamp").write_parquet(
                Path(folder) / f"{name}.parquet"
            )
        protocol = from_folder(Path(folder), exclude_seen="none", order="time")
    train, test = protocol.test.train, protocol.test
    print(f"{len(log):,} plays, {len(train.users):,} listeners, {len(train.tracks):,} recordings", flush=True)
    print(f"{test.test.nnz:,} held out; {test.n_cold_users:,} listeners without training are left out", flush=True)
    found = compare(protocol, models, ComparisonSettings(Budget(trials), k=max(LENGTHS), seed=SEED))
    print_metrics(found, parts["test"])


def flat_file(path: Path) -> pl.DataFrame:
    """Read a flat file, and refuse another form."""
    table = pl.scan_parquet(path)
    missing = [name for name in COLUMNS if name not in table.collect_schema().names()]
    if missing:
        raise Missing(f"{path}: found no column {', '.join(missing)}, expected the form of Yambda's listens.parquet")
    return table.select(COLUMNS).collect()


def lfm1m_log() -> pl.DataFrame:
    """Bring LFM-1M into the form: plays as long as their recordings, and of unknown kind."""
    plays = pl.read_parquet(data_folder() / "lfm1m_partial" / "interactions.parquet")
    return plays.select(uid="user", item_id="item", timestamp="timestamp", is_organic=None, played_ratio_pct=100)


def demo_log(scale: float) -> pl.DataFrame:
    """Simulate the log of a demo world in the form; what was played for an unknown time counts as played."""
    from recsys.demo.playing import ACTIVE, UNKNOWN
    from recsys.demo.world import World
    from recsys.demo.write import simulate

    simulated = simulate(World(scale=scale, n_tracks_with_audio=0))
    listens, duration_ms = simulated.listens, simulated.catalogue.tracks.duration_ms
    played_pct = np.where(listens.ms_played == UNKNOWN, 100, 100 * listens.ms_played / duration_ms[listens.track])
    source = pl.Series(listens.source)
    return pl.DataFrame(
        {
            "uid": listens.listener,
            "item_id": listens.track,
            "timestamp": listens.at_s // BIN_S * BIN_S,
            "is_organic": (source == ACTIVE).cast(pl.Int8).set(source == UNKNOWN, None),
            "played_ratio_pct": played_pct,
        }
    )


def split(log: pl.DataFrame, test_s: float) -> dict[str, pl.DataFrame]:
    """Return the plays that count in training, validation and test, with the gap before each of the latter left out."""
    plays = log.filter(pl.col("played_ratio_pct") >= MIN_PLAYED_PCT)
    test_from = plays["timestamp"].max() + 1 - test_s  # type: ignore[operator] # a number, as there are plays
    validation_from = test_from - GAP_S - test_s
    spans = {
        "train": (-np.inf, validation_from - GAP_S),
        "validation": (validation_from, test_from - GAP_S),
        "test": (test_from, np.inf),
    }
    return {
        name: plays.filter(pl.col("timestamp") >= first, pl.col("timestamp") < end)
        for name, (first, end) in spans.items()
    }


def print_metrics(found: "Comparison", played: pl.DataFrame) -> None:
    """Print the metrics by kind of play, for kinds that the test has, with the 95 % interval of the first."""
    from recsys.dataset.splits import Split, no_pairs

    train = found.protocol.test.train
    print(f"{'':<25} " + " ".join(f"{f'{metric}@{k}':>12}" for k in LENGTHS for metric in METRICS))
    for kind, is_kind in KINDS.items():
        pairs = played.filter(is_kind).select(user_id=pl.col("uid").cast(str), track_id=pl.col("item_id").cast(str))
        if pairs.height:
            print_kind(found.rankings, kind, Split.of(train, pairs, hidden=no_pairs(train)))


def print_kind(rankings: dict[str, pl.DataFrame], kind: str, split: "Split") -> None:
    """Print one line per recommender."""
    from recsys.evaluate.report import report

    reports = pl.concat([report(rankings, split, k=k) for k in LENGTHS])
    for name in rankings:
        rows = {(row["metric"], row["k"]): row for row in reports.filter(recommender=name).iter_rows(named=True)}
        values = " ".join(f"{rows[metric, k]['value']:>12.4f}" for k in LENGTHS for metric in METRICS)
        first = rows[METRICS[0], LENGTHS[0]]
        print(f"{name:<12} {kind:<12} {values}   [{first['low']:.4f}, {first['high']:.4f}]", flush=True)


if __name__ == "__main__":
    main()
