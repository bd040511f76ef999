"""
Measure the pitch of a use relative to its recording, in semitones.

The fingerprint network was trained to ignore pitch, but vectors of sound with the same pitch are still the most
similar. On the spectrogram's logarithmic frequency scale, a change of pitch is a shift. The spectrogram of the use is
therefore shifted in steps, and the shift whose fingerprint is most similar to that of the recording gives the pitch,
refined by a parabola through the similarities of its neighbours: in noise, the largest one is often a step off. This
needs the index, but not the sound of the recording.
"""

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio.fingerprint.fingerprinter import Fingerprinter, levelled_spectrogram, shifted
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import TimeAlignment, Use, cosines_along

EXCERPT_S = 10.0
SHIFTS = np.arange(-4.5, 4.6, 0.5)  # that are compared [semitones]


def excerpt_of(use: Use) -> tuple[float, float]:
    """Return start and end, in query time [s], of the middle ten seconds of a use; its pitch is measured on them."""
    middle_s = (use.starts_s + use.ends_s) / 2
    return max(use.starts_s, middle_s - EXCERPT_S / 2), min(use.ends_s, middle_s + EXCERPT_S / 2)


def pitch_of(index: FingerprintIndex, use: Use, sound: F32, network: Fingerprinter) -> float:
    """
    Estimate the pitch of a use.

    Args:
        index: An index with the recording.
        use: The use.
        sound: 8 kHz mono waveform of `excerpt_of(use)`, shape (n,).
        network: The network that computed the vectors of the index.

    Returns:
        Semitones relative to the recording, -4.5..4.5, positive if higher. NaN if the excerpt is silent or shorter than
        about a second.
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

    similarities = np.array([similarity(semitones) for semitones in SHIFTS])
    return _maximum(similarities)


def _maximum(similarities: F64) -> float:
    """Return the shift at the vertex of the parabola fitted to the similarities within a semitone of the largest."""
    best = int(similarities.argmax())
    inside = np.flatnonzero(np.abs(SHIFTS - SHIFTS[best]) <= 1)
    curvature, slope, _ = np.polyfit(SHIFTS[inside] - SHIFTS[best], similarities[inside], 2)
    return float(SHIFTS[best] + (np.clip(-slope / (2 * curvature), -0.5, 0.5) if curvature < 0 else 0.0))
