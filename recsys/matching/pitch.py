"""
Pitch of a use: how many semitones higher than its recording it is.

The fingerprint network was trained to ignore pitch, yet sound of the same pitch is still nearest. On the spectrogram's
logarithmic frequency scale another pitch is a shift, so the use's spectrogram is shifted step by step, and the shift
whose fingerprint is nearest to the recording's gives the pitch. This needs the index, but not the recording's sound.
"""

import numpy as np

from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import Fingerprinter, levelled_spectrogram, shifted
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import TimeAlignment, Use, cosines_along

EXCERPT_S = 10.0
MAX_SHIFT, COARSE_STEP, FINE_STEP = 4.0, 1.0, 0.25  # semitones


def excerpt_of(use: Use) -> tuple[float, float]:
    """Return start and end in the query of the excerpt by which a use is measured: ten seconds in its middle [s]."""
    middle_s = (use.starts_s + use.ends_s) / 2
    return max(use.starts_s, middle_s - EXCERPT_S / 2), min(use.ends_s, middle_s + EXCERPT_S / 2)


def pitch_of(index: FingerprintIndex, use: Use, sound: F32, network: Fingerprinter) -> float:
    """
    Estimate the pitch of a use.

    Args:
        index: Holds the recording.
        use: The use.
        sound: 8 kHz mono sound of `excerpt_of(use)`, shape (n,).
        network: The network that made the index.

    Returns:
        Semitones above the recording, -4..4; NaN if the excerpt is silent or shorter than about a second.
    """
    frames = levelled_spectrogram(sound)
    if frames is None:
        return float("nan")
    starts_s, _ = excerpt_of(use)
    offset_s = use.reference_starts_s + use.tempo_ratio * (starts_s - use.starts_s)
    time_alignment = TimeAlignment(offset_s, use.tempo_ratio)

    def similarity(semitones: float) -> float:
        vectors = network.spectrogram_vectors(shifted(frames, -semitones))
        return float(np.nan_to_num(cosines_along(index, vectors, use.audio_id, time_alignment)).mean())

    coarse = np.arange(-MAX_SHIFT, MAX_SHIFT + COARSE_STEP, COARSE_STEP)
    middle = coarse[int(np.argmax([similarity(semitones) for semitones in coarse]))]
    fine = middle + FINE_STEP * np.arange(-4, 5)
    similarities = np.array([similarity(semitones) for semitones in fine])
    best = int(similarities.argmax())
    is_inside = 0 < best < len(similarities) - 1
    return float(fine[best] + (FINE_STEP * _vertex(similarities[best - 1 : best + 2]) if is_inside else 0.0))


def _vertex(values: np.ndarray) -> float:
    """Return where the parabola through three values has its maximum, in steps from the middle one, -0.5..0.5."""
    left, middle, right = values
    return float(0.5 * (left - right) / (left - 2 * middle + right)) if left - 2 * middle + right < 0 else 0.0
