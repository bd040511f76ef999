"""The scale by which features of a model are standardised."""

from typing import TypeVar

import numpy as np

from recsys.arrays import F32, F64

Floats = TypeVar("Floats", F32, F64)

CONSTANT = 1e-6  # a lesser standard deviation is rounding; features are of the order of 1


def scale_of(features: Floats) -> Floats:
    """
    Return the standard deviation of each feature, > 0; infinite for a constant, so that nothing is read from it.

    Args:
        features: Shape (n_rows, n_features), at least one row.
    """
    mean, std = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    is_constant = std <= CONSTANT * np.maximum(1, np.abs(mean))
    return np.where(is_constant, np.inf, std).astype(features.dtype)
