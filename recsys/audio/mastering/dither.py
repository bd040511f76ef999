"""Rounding to 16 or 24 bits with triangular dither (Lipshitz, Wannamaker, Vanderkooy, AES 1992)."""

import numpy as np

from recsys.arrays import F32, I32, Bool


def dithered(samples: F32, n_bits: int, rng: np.random.Generator, has_sound: Bool) -> I32:
    """
    Round samples after adding triangular noise of one step, which makes the rounding error independent of the music.

    Args:
        samples: Shape (n_channels, n_samples), full scale -1..1.
        n_bits: Bits of the result, 16 or 24.
        rng: Random generator.
        has_sound: Where noise is added, of the shape of the samples; elsewhere, digital silence stays silent.

    Returns:
        Whole numbers of this many bits, of the same shape.
    """
    scale = 2.0 ** (n_bits - 1)
    noise = rng.random(samples.shape) - rng.random(samples.shape)
    rounded = np.rint(samples * scale + np.where(has_sound, noise, 0))
    return np.asarray(np.clip(rounded, -scale, scale - 1), np.int32)
