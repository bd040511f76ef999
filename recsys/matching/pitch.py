"""
How much higher or lower a use is than its recording.

The network that hears fingerprints was trained not to care about pitch, but what is at the same pitch still lies
nearest. So the query's spectrogram, on whose logarithmic scale another pitch is a shift, is moved step by step, and the
shift at which it lies nearest to the recording is its pitch. This needs no sound of the recording, only the index.
"""

import numpy as np

from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import Fingerprinter, levelled_spectrogram, shifted
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import TimeAlignment, Use, along

EXCERPT_S = 10.0
WIDEST, COARSE, FINE = 4.0, 1.0, 0.25  # semitones


def excerpt_of(use: Use) -> tuple[float, float]:
    """Return from when to when a use is listened to: ten seconds in its middle [s]."""
    middle_s = (use.starts_s + use.ends_s) / 2
    return max(use.starts_s, middle_s - EXCERPT_S / 2), min(use.ends_s, middle_s + EXCERPT_S / 2)


def pitch_of(prints: FingerprintIndex, use: Use, sound: F32, network: Fingerprinter) -> float:
    """
    Estimate the pitch of a use.

    Args:
        prints: The index.
        use: What was found.
        sound: 8 kHz sound of `excerpt_of(use)`, shape (n,).
        network: The one that made the index.

    Returns:
        Semitones above the recording, -4..4; nan where too little is heard.
    """
    frames = levelled_spectrogram(sound)
    if frames is None:
        return float("nan")
    starts_s, _ = excerpt_of(use)
    line = TimeAlignment(use.reference_starts_s + use.tempo_ratio * (starts_s - use.starts_s), use.tempo_ratio)

    def nearness(semitones: float) -> float:
        vectors = network.spectrogram_vectors(shifted(frames, -semitones))
        return float(np.nan_to_num(along(prints, vectors, use.audio_id, line)).mean())

    coarse = np.arange(-WIDEST, WIDEST + COARSE, COARSE)
    middle = coarse[int(np.argmax([nearness(each) for each in coarse]))]
    fine = middle + FINE * np.arange(-4, 5)
    near = np.array([nearness(each) for each in fine])
    at = int(near.argmax())
    return float(fine[at] + (FINE * _vertex(near[at - 1 : at + 2]) if 0 < at < len(near) - 1 else 0.0))


def _vertex(values: np.ndarray) -> float:
    """Return where the parabola through three values has its highest point, -.5..5."""
    left, middle, right = values
    return float(0.5 * (left - right) / (left - 2 * middle + right)) if left - 2 * middle + right < 0 else 0.0
