"""
Repeat consumption: which tracks each listener hears again, and how soon.

A pair of listener and track has odds of being heard again within `HORIZON_DAYS`: those of a logistic regression on what
the plays so far tell (`FEATURES`), fitted to the last days before the end of the log. The pair is then more likely than
not to be heard again within HORIZON_DAYS / odds. This is exact if plays come at random, at a rate that varies between
pairs with the same features by an exponential distribution. Each feature is split into the listener's mean and the
deviation from it: what makes a listener listen much does not say which of the listener's tracks comes next.

Sources: Anderson, Schooler, Reflections of the Environment in Memory (1991), for the activation; Mundlak, On the
Pooling of Time Series and Cross Section Data (1978), for the split.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from recsys.arrays import F64, Bool
from recsys.recommenders.parts.standardising import scale_of
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

HORIZON_DAYS = 7
RIDGE = 1e-4  # penalty on the squared weights of standardised features, beside the mean log-likelihood of a pair
MAX_STEPS = 30
MAX_LOG_ODDS = 20.0
FEATURES = {
    "rank_activation": pl.col("rank_activation").log(),
    "day_activation": pl.col("day_activation").log(),
    "age": pl.col("age_days").log1p(),
    "gap": pl.col("gap_days").log1p(),
    "days": pl.col("n_days").log1p(),
}
PLAYS = pl.col("n_plays").sum().over("user_id").log()  # of the listener, of any track


@dataclass(frozen=True, eq=False)
class RepeatModel:
    """
    Odds of hearing again; made by `fit`.

    Attributes:
        mean: Mean of each feature. Shape (n_features,).
        std: Standard deviation of each feature, > 0; infinite if it was constant (see `spread`). Shape (n_features,).
        weights: Weights of the standardised features, then the bias. Shape (n_features + 1,).
    """

    mean: F64
    std: F64
    weights: F64

    @classmethod
    def fit(cls, pairs: pl.DataFrame, heard: Bool) -> Self:
        """
        Fit by maximum likelihood with a small penalty (Newton's method).

        Args:
            pairs: The pairs heard up to a day, at least one: the columns of sql/internal/heard_pairs.sql.
            heard: Whether each was heard again within HORIZON_DAYS after that day. Shape (n_pairs,), bool.
        """
        features = features_of(pairs)
        mean, std = features.mean(axis=0), scale_of(features)
        inputs = _standardised(features, mean, std)
        weights = np.zeros(inputs.shape[1])
        for _ in range(MAX_STEPS):
            step = _newton_step(inputs, heard, weights)
            weights += step
            if np.abs(step).max() < 1e-6:
                break
        return cls(mean, std, weights)

    def odds(self, pairs: pl.DataFrame) -> F64:
        """Return each pair's odds, > 0, of being heard again within HORIZON_DAYS. Shape (n_pairs,)."""
        log_odds = _standardised(features_of(pairs), self.mean, self.std) @ self.weights
        return np.exp(np.clip(log_odds, -MAX_LOG_ODDS, MAX_LOG_ODDS))


def hearing_again(warehouse: "Warehouse", until: date) -> pl.DataFrame:
    """
    Return the odds that each pair heard up to a day is heard again, by a model of the last days before it.

    Returns:
        The columns of sql/internal/heard_pairs.sql and `odds` (see `RepeatModel.odds`). No rows if nothing was heard
        before these last days.
    """
    learned_until = until - timedelta(days=HORIZON_DAYS)
    pairs, earlier = (warehouse.query(internal_sql("heard_pairs"), {"until": day}) for day in (until, learned_until))
    if earlier.is_empty():
        return pairs.clear().with_columns(odds=pl.lit(0.0))
    heard = is_among(earlier, pairs.filter(pl.col("age_days") < HORIZON_DAYS))
    return pairs.with_columns(odds=pl.Series(RepeatModel.fit(earlier, heard).odds(pairs)))


def is_among(pairs: pl.DataFrame, others: pl.DataFrame) -> Bool:
    """Return for each pair of user_id and track_id whether it is one of the others. Shape (n_pairs,), bool."""
    marked = others.select("user_id", "track_id", is_other=pl.lit(value=True))
    joined = pairs.join(marked, on=["user_id", "track_id"], how="left", maintain_order="left")
    found: Bool = joined["is_other"].fill_null(value=False).to_numpy()
    return found


def features_of(pairs: pl.DataFrame) -> F64:
    """Return deviations from the listener's mean, means, and the listener's plays. Shape (n_pairs, n_features)."""
    means = {f"{name}_mean": feature.mean().over("user_id") for name, feature in FEATURES.items()}
    deviations = {name: feature - means[f"{name}_mean"] for name, feature in FEATURES.items()}
    return pairs.select(**deviations, **means, plays=PLAYS).to_numpy()


def _standardised(features: F64, mean: F64, std: F64) -> F64:
    """Standardise each feature and append a column of ones for the bias."""
    return np.column_stack([(features - mean) / std, np.ones(len(features))])


def _newton_step(inputs: F64, heard: Bool, weights: F64) -> F64:
    """Return the change of the weights by one step of Newton's method, at most 1 in each."""
    share = 1 / (1 + np.exp(-np.clip(inputs @ weights, -MAX_LOG_ODDS, MAX_LOG_ODDS)))
    gradient = inputs.T @ (heard - share) / len(inputs) - RIDGE * weights
    information = (inputs.T * (share * (1 - share))) @ inputs / len(inputs) + RIDGE * np.eye(len(weights))
    step = np.linalg.solve(information, gradient)
    shortened: F64 = step / max(1.0, np.abs(step).max())
    return shortened
