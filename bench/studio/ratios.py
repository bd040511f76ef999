"""Ratios of a true sound and the error of its estimate, and shares with their intervals."""

from math import sqrt

import numpy as np

from recsys.arrays import F32


def sdr_db(truth: F32, estimate: F32) -> float:
    """Return the power of a true sound over that of the error of its estimate [dB]."""
    return float(10 * np.log10(np.square(truth).sum() / (np.square(truth - estimate).sum() + 1e-12)))


def si_sdr_db(truth: F32, estimate: F32) -> float:
    """Return the SDR after the estimate's best scale [dB] (Le Roux et al., ICASSP 2019)."""
    scaled = np.float32((truth * estimate).sum() / np.square(truth).sum()) * truth
    return sdr_db(scaled, estimate)


def wilson(n_right: int, n: int) -> str:
    """Return a share with its interval of 95 % (Wilson)."""
    share, z = n_right / n, 1.96
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return f"{share:.2f} ({max(0.0, centre - half):.2f} to {min(1.0, centre + half):.2f})"
