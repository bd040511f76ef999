"""A linear-phase equaliser that moves the octave bands of a recording towards a reference, within limits."""

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.signal import firwin2

from recsys.arrays import F32, F64
from recsys.audio.features.spectral_balance import CENTRES_HZ
from recsys.audio.mastering.balance import Comparison

MAX_CHANGE_DB = 4.0  # of a band, in either direction
SHARE = 0.8  # of a difference that is taken away
LENGTH_S = 0.12  # of the filter
N_POINTS = 2048  # of its frequency response


def corrections(comparison: Comparison) -> F64:
    """Return the gain of each octave band towards the reference, shape (10,) [dB]; 0 for bands that are not named."""
    moves = np.where(comparison.is_named, -SHARE * np.nan_to_num(comparison.difference_db), 0.0)
    return np.asarray(np.clip(moves, -MAX_CHANGE_DB, MAX_CHANGE_DB))


def linear_phase(gains_db: F64, rate_hz: int) -> F32:
    """
    Return a symmetric filter with these gains at the centres of the octave bands, smooth between them.

    Args:
        gains_db: Gain of each octave band, shape (10,) [dB].
        rate_hz: Sampling rate [Hz].

    Returns:
        The filter, shape (n_taps,), of odd length; its delay is (n_taps - 1) / 2 samples.
    """
    hz = np.linspace(0, rate_hz / 2, N_POINTS)
    octaves = np.log2(np.clip(hz, CENTRES_HZ[0], CENTRES_HZ[-1]))
    response_db = PchipInterpolator(np.log2(CENTRES_HZ), gains_db)(octaves)
    n_taps = 2 * round(LENGTH_S * rate_hz / 2) + 1
    taps: F32 = firwin2(n_taps, hz, 10 ** (response_db / 20), fs=rate_hz).astype(np.float32)
    return taps
