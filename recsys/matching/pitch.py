"""
Measure the pitch of a use relative to its recording, in semitones.

The fingerprint network was trained to ignore pitch, but vectors of sound with the same pitch are still the most
similar. On the spectrogram's logarithmic frequency scale, a change of pitch is a shift. The spectrogram of the use is
therefore shifted in steps, and the shift whose fingerprint is most similar to that of the recording gives the pitch.
This needs the index, but not the sound of the recording.
"""

import numpy as np

from recsys.arrays import F32
from recsys.audio.fingerprint.fingerprinter import Fingerprinter, levelled_spectrogram, shifted
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.uses import TimeAlignment, Use, cosines_along

EXCERPT_S = 10.0
MAX_SHIFT, COARSE_STEP, FINE_STEP = 4.0, 1.0, 0.25  # semitones


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
        Semitones relative to the recording, -4..4, positive if higher. NaN if the excerpt is silent or shorter than
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

    coarse = np.arange(-MAX_SHIFT, MAX_SHIFT + COARSE_STEP, COARSE_STEP)
    middle = coarse[int(np.argmax([similarity(semitones) for semitones in coarse]))]
    fine = middle + FINE_STEP * np.arange(-4, 5)
    similarities = np.array([similarity(semitones) for semitones in fine])
    best = int(similarities.argmax())
    is_inside = 0 < best < len(similarities) - 1
    return float(fine[best] + (FINE_STEP * _vertex(similarities[best - 1 : best + 2]) if is_inside else 0.0))


def _vertex(values: np.ndarray) -> float:
    """Return the position of the maximum of the parabola through three values, in steps from the middle, -0.5..0.5."""
    left, middle, right = values
    return float(0.5 * (left - right) / (left - 2 * middle + right)) if left - 2 * middle + right < 0 else 0.0
