"""
The model card of a head: data, split, metrics with intervals, and limits.

Recordings are counted by consent, genre, language and country of the artist, and metrics are stated for each of these
groups, too. It is a JSON file; the head itself is not stored. Licences of labels are not known to the platform and are
stated as such.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from recsys.arrays import F32, F64, I64, Bool
from recsys.tags.calibration import ece, top_tag_ece
from recsys.tags.folds import groups_of

N_DRAWS = 500  # bootstrap samples of artists
GROUPINGS = ("genre", "language", "country")  # facts whose values have metrics of their own
MIN_GROUP = 10  # recordings; the metrics of smaller groups are not known
LIMITS = (
    "Probabilities hold for recordings like the labelled ones; for other styles, languages and recording qualities "
    "they are not tested. A recording without a tag may have one that was not among the labels. The tags stay as they "
    "are if consent is withdrawn or a recording is taken down later: train again without it."
)


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95 % interval over artists; NaN where there is nothing to measure."""

    value: float
    low: float
    high: float


NOT_KNOWN: dict[str, float | None] = dict.fromkeys(("value", "low", "high"))


def macro_f1(predicted: Bool, has_tag: F32) -> float:
    """
    Return the mean over tags of the harmonic mean of precision and recall; NaN if no tag is given or predicted.

    Args:
        predicted: Tags that are predicted. Shape (n, n_tags).
        has_tag: Tags that are given. Shape (n, n_tags).
    """
    hits, total = (predicted * has_tag).sum(axis=0), predicted.sum(axis=0) + has_tag.sum(axis=0)
    return float(np.mean(2 * hits[total > 0] / total[total > 0])) if total.any() else float("nan")


def decided(probability: F64, *, exclusive: bool) -> Bool:
    """Return the tags that a recording gets: the most probable one, or all of at least .5. Shape (n, n_tags), bool."""
    if not exclusive:
        return np.asarray(probability >= 0.5)
    return np.asarray(np.arange(probability.shape[1]) == probability.argmax(axis=1)[:, None])


def interval(metric: Callable[[I64], float], groups: I64, *, seed: int = 7, n_draws: int = N_DRAWS) -> Estimate:
    """
    Return a metric with an interval by drawing groups with replacement; a single group has no interval.

    Args:
        metric: Returns the metric of some rows, which may be repeated.
        groups: Artist of each row, 0 to n_groups - 1. Shape (n,).
        seed: Seed of the draws.
        n_draws: Number of draws.
    """
    order = np.argsort(groups, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(groups))[:-1])
    rng = np.random.default_rng(seed)
    drawn = [
        metric(np.concatenate([rows_of[group] for group in rng.integers(len(rows_of), size=len(rows_of))]))
        for _ in range(n_draws)
    ]
    known = np.array(drawn)[~np.isnan(drawn)]
    low, high = np.percentile(known, (2.5, 97.5)) if len(rows_of) > 1 and len(known) else (np.nan, np.nan)
    return Estimate(metric(np.arange(len(groups))), float(low), float(high))


@dataclass(frozen=True, eq=False)
class HeldOut:
    """
    Predictions for labelled recordings by heads that were trained on other artists.

    Attributes:
        probability: Calibrated. Shape (n, n_tags).
        has_tag: Given labels. Shape (n, n_tags).
        is_exclusive: Whether tags exclude each other.
        facts: artist_id, genre, language and country of each recording.
    """

    probability: F64
    has_tag: F32
    is_exclusive: bool
    facts: pl.DataFrame

    def metrics(self) -> dict[str, Any]:
        """
        Return macro F1 and ECE with intervals, and accuracy and ECE of each genre, language and country.

        A metric that is not known is null: of a group with fewer than 10 recordings, and the interval of one artist.
        """
        overall = {"macro_f1": self._interval(self._f1), "ece": self._interval(self._ece), "n": len(self.has_tag)}
        return overall | {"groups": [group for column in GROUPINGS for group in self._groups(column)]}

    def _groups(self, column: str) -> list[dict[str, Any]]:
        names = self.facts[column].fill_null("unknown")
        return [
            {"of": column, "name": name, "n": n} | self._of_rows(np.flatnonzero((names == name).to_numpy()))
            for name, n in counts(self.facts, column).items()
        ]

    def _of_rows(self, rows: I64) -> dict[str, Any]:
        if len(rows) < MIN_GROUP:
            return {"accuracy": NOT_KNOWN, "ece": NOT_KNOWN}
        part = HeldOut(self.probability[rows], self.has_tag[rows], self.is_exclusive, self.facts[rows])
        return {"accuracy": part._interval(part._accuracy), "ece": part._interval(part._ece)}

    def _interval(self, metric: Callable[[I64], float]) -> dict[str, float | None]:
        found = interval(metric, groups_of(self.facts["artist_id"]))
        return {name: None if np.isnan(value) else value for name, value in vars(found).items()}

    def _f1(self, rows: I64) -> float:
        return macro_f1(decided(self.probability[rows], exclusive=self.is_exclusive), self.has_tag[rows])

    def _ece(self, rows: I64) -> float:
        if self.is_exclusive:
            return top_tag_ece(self.probability[rows], self.has_tag[rows])
        return ece(self.probability[rows].ravel(), self.has_tag[rows].ravel())

    def _accuracy(self, rows: I64) -> float:
        """Return the share of tags that are decided as the label says."""
        predicted = decided(self.probability[rows], exclusive=self.is_exclusive)
        if self.is_exclusive:
            return float((predicted * self.has_tag[rows]).sum(axis=1).mean())
        return float((predicted == (self.has_tag[rows] > 0)).mean())


def counts(facts: pl.DataFrame, column: str) -> dict[str, int]:
    """Return the number of recordings by a fact, the most frequent first."""
    values = facts[column].fill_null("unknown").value_counts(sort=True, name="n")
    return dict(values.sort("n", column, descending=[True, False]).iter_rows())
