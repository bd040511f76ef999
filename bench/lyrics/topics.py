"""
Topics of words: how many recordings keep theirs from night to night.

Songs of the year-end charts, as bags of words. The first night has nineteen in twenty of them, drawn at random, the
second all; so one in twenty is new. Beside it: the same without a start from the last night, with topics matched by
their words.
"""

from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from bench.lyrics.emotion import read_bags
from bench.lyrics.explicit import evenly
from recsys.analytics.topics import TOPIC_WORDS_COLUMNS, topics
from recsys.columns import schema

NEW_SHARE, N_SEEDS = 0.05, 3


def measure(data: Path, n_songs: int) -> None:
    """Print the topics, and the share of recordings that keep theirs."""
    every = _words(data)
    ids = every["track_id"].unique().sort()
    ids = ids.gather(evenly(len(ids), n_songs))
    words = every.filter(pl.col("track_id").is_in(ids.implode()))
    nothing = pl.DataFrame(schema=schema(TOPIC_WORDS_COLUMNS))
    kept, fresh = [], []
    for seed in range(N_SEEDS):
        known = np.random.default_rng(seed).random(len(ids)) >= NEW_SHARE
        before = words.filter(pl.col("track_id").is_in(ids.filter(known).implode()))
        _, weights, members = topics(before, nothing)
        found, _, after = topics(words, weights)
        kept.append(_same(members, after))
        fresh.append(_same(members, topics(words, nothing)[2], is_matched=True))
    print(f"Topics of {len(ids):,} songs, {NEW_SHARE:.0%} of them new on the second night: {found.height} topics")
    print(
        f"  share of the others that keep their topic: {' '.join(f'{share:.3f}' for share in kept)} with a warm start"
    )
    print(f"  {' '.join(f'{share:.3f}' for share in fresh)} without, topics matched by their recordings")
    for name, n in found.select("name", "n_recordings").iter_rows():
        print(f"    {n:5} {name}")


def _words(data: Path) -> pl.DataFrame:
    _, names, counts = read_bags(data / "lyrics_bow_yearend_1960_2016")
    cells = counts.tocoo()
    return pl.DataFrame(
        {
            "track_id": [f"{row:05}" for row in cells.row],
            "language": "en",
            "word": np.array(names)[cells.col],
            "n": cells.data.astype(np.int64),
        }
    )


def _same(before: pl.DataFrame, after: pl.DataFrame, *, is_matched: bool = False) -> float:
    both = before.join(after, on="track_id", suffix="_after")
    pairs = np.zeros((before["topic"].n_unique() + 30, after["topic"].n_unique() + 30))
    np.add.at(pairs, (both["topic"].to_numpy(), both["topic_after"].to_numpy()), 1)
    if not is_matched:
        return float(np.trace(pairs[: min(pairs.shape), : min(pairs.shape)]) / pairs.sum())
    rows, columns = linear_sum_assignment(-pairs)
    return float(pairs[rows, columns].sum() / pairs.sum())
