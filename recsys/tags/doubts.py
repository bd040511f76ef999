"""
What a person should look at: labels that are probably wrong, and recordings to label next.

A given tag is doubted if another tag reaches the probability that recordings with that other tag usually reach. Doubts
are ordered by how much more probable the other tag is. A person decides about each; nothing is changed by itself.

Source: Northcutt, Jiang, Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels (JAIR 2021).
"""

import numpy as np
import polars as pl

from recsys.arrays import F32, F64, I64
from recsys.columns import Column, schema
from recsys.home import Home

DOUBTS_COLUMNS = (
    Column("track_id", pl.String()),
    Column("tag", pl.String()),
    Column("suggested", pl.String()),
    Column("probability", pl.Float64()),
    Column("given_probability", pl.Float64()),
)
DOUBTS = "doubts.parquet"
GENRE = "genre"  # the kind whose tags are compared with delivered metadata


def doubts_of(home: Home) -> pl.DataFrame:
    """Return the delivered genres that the last training doubted (DOUBTS_COLUMNS); none before the first."""
    path = home.tags / GENRE / DOUBTS
    return pl.read_parquet(path) if path.exists() else pl.DataFrame(schema=schema(DOUBTS_COLUMNS))


def margins(probability: F64, has_tag: F32) -> F64:
    """
    Return how much more probable the best other tag is than the given one, -1..1. Shape (n,).

    Args:
        probability: Held-out probabilities. Shape (n, n_tags).
        has_tag: One given tag per row. Shape (n, n_tags).
    """
    given = (probability * has_tag).sum(axis=1)
    other = np.where(has_tag > 0, -np.inf, probability).max(axis=1)
    found: F64 = other - given
    return found


def review_order(probability: F64, has_tag: F32) -> I64:
    """Return the rows in the order in which to review their labels, the most doubtful first."""
    return np.argsort(-margins(probability, has_tag), kind="stable")


def usual_probabilities(probability: F64, has_tag: F32) -> F64:
    """Return the mean probability of each tag over the recordings that have it; 1 where none has. Shape (n_tags,)."""
    n = has_tag.sum(axis=0)
    return np.where(n > 0, (probability * has_tag).sum(axis=0) / np.maximum(n, 1), 1.0)


def doubts(
    track_ids: pl.Series, given: pl.Series, names: tuple[str, ...], probability: F64, usual: F64
) -> pl.DataFrame:
    """
    List the doubted labels of recordings.

    Args:
        track_ids: The recordings. Shape (n,).
        given: Their given tag; a null, or a tag that is not among `names`, is not doubted.
        names: The tags.
        probability: Held-out probabilities. Shape (n, n_tags).
        usual: See `usual_probabilities`.

    Returns:
        DOUBTS_COLUMNS, the most doubtful first.
    """
    columns = {name: number for number, name in enumerate(names)}
    rows = np.array([row for row, tag in enumerate(given) if tag in columns], np.int64)
    tags = np.array([columns[given[int(row)]] for row in rows], np.int64)
    own = probability[rows]
    has_tag = np.eye(len(names), dtype=np.float32)[tags]
    best = np.where(has_tag > 0, -np.inf, own).argmax(axis=1)
    order = [
        number
        for number in review_order(own, has_tag)
        if own[number, best[number]] >= usual[best[number]] and own[number, best[number]] > own[number, tags[number]]
    ]
    found = [
        (
            track_ids[int(rows[number])],
            names[tags[number]],
            names[best[number]],
            round(float(own[number, best[number]]), 4),
            round(float(own[number, tags[number]]), 4),
        )
        for number in order
    ]
    return pl.DataFrame(found, schema(DOUBTS_COLUMNS), orient="row")


def labelling_order(probability: F64, *, exclusive: bool) -> I64:
    """
    Return the rows in the order in which to ask a person for labels, the least certain first (active learning).

    Args:
        probability: Of recordings without labels. Shape (n, n_tags), at least two tags.
        exclusive: Whether tags exclude each other: then the two most probable tags are close to each other, otherwise
            some tag is close to .5.

    Source:
        Settles, Active Learning Literature Survey (2009), 3.1: margin sampling.
    """
    ordered = np.sort(probability, axis=1)
    certainty = ordered[:, -1] - ordered[:, -2] if exclusive else np.abs(probability - 0.5).min(axis=1)
    return np.argsort(certainty, kind="stable")
