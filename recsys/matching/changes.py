"""
Name the change of a use: its speed, its tempo, its pitch, or tempo and pitch independently.

Tempo and pitch are measured with errors. The simplest change that explains both measurements within their errors is
named, and of equally simple ones that which explains them best. So a record that is played faster is a change of speed,
although its tempo and its pitch are measured independently of each other.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from typing_extensions import override

PITCH_STD = 0.25  # standard deviation of a measured pitch [semitones]
TEMPO_STD_S, MIN_TEMPO_STD = 0.06, 0.003  # the tempo ratio's is TEMPO_STD_S divided by the length of the use
MAX_ERROR = 6.0  # sum of two squared errors, in standard deviations, that a change may leave: 95 % have less


@dataclass(frozen=True)
class Change:
    """
    A change of a recording.

    Attributes:
        speed: Ratio of a change of speed, which changes tempo and pitch together; 1 is none.
        tempo: Ratio of a change of tempo alone; 1 is none.
        semitones: Change of pitch alone; 0 is none.
    """

    speed: float = 1.0
    tempo: float = 1.0
    semitones: float = 0.0

    @override
    def __str__(self) -> str:
        """Return 'speed +5.0%', 'tempo +5.0%, pitch +1.0 semitones' or 'none'."""
        parts = [
            f"speed {self.speed - 1:+.1%}" if self.speed != 1 else "",
            f"tempo {self.tempo - 1:+.1%}" if self.tempo != 1 else "",
            f"pitch {self.semitones:+.1f} semitones" if self.semitones else "",
        ]
        return ", ".join(filter(None, parts)) or "none"


def change_of(tempo_ratio: float, semitones: float, length_s: float) -> Change:
    """
    Name the change of a use.

    Args:
        tempo_ratio: Measured tempo of the use divided by that of the recording.
        semitones: Measured pitch relative to the recording [semitones]; NaN if it could not be measured.
        length_s: Length of the use, from which the error of the tempo follows [s].
    """
    tempo_std = max(MIN_TEMPO_STD, TEMPO_STD_S / max(length_s, 1.0))
    pitch = 0.0 if np.isnan(semitones) else semitones

    def error(change: Change) -> float:
        tempo_error = tempo_ratio - change.speed * change.tempo
        pitch_error = pitch - change.semitones - 12 * np.log2(change.speed)
        return float((tempo_error / tempo_std) ** 2 + (pitch_error / PITCH_STD) ** 2)

    if error(Change()) <= MAX_ERROR:
        return Change()
    bounds = sorted((tempo_ratio, 2 ** (pitch / 12)))
    speed = minimize_scalar(lambda ratio: error(Change(speed=ratio)), bounds=bounds, method="bounded").x
    simple = [Change(tempo=tempo_ratio), Change(semitones=pitch)]
    simple += [] if np.isnan(semitones) else [Change(speed=float(speed))]
    best = min(simple, key=error)
    return best if error(best) <= MAX_ERROR else Change(tempo=tempo_ratio, semitones=pitch)
