"""How loud the harmonics of a pitch are over time: whether a written note sounds, and when it sets in."""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio.pitch import RATE_HZ

WINDOW, HOP = 1024, 128  # 64 ms and 8 ms
STEP_S = HOP / RATE_HZ
N_HARMONICS = 5
AROUND_S = 0.16  # a note sets in within so much of its place
N_OWN, N_OTHERS = 10, 24  # harmonics of a note, and of those beside it from which they must differ
APART, LEAST_OWN = 2.5, 3  # bins between harmonics that differ, and how many must be
LEAST_GROWTH = 1.6  # of the envelope, from before to after, of a note that sets in


@dataclass(frozen=True, eq=False)
class Spectra:
    """Magnitudes over time, shape (n_steps, WINDOW // 2 + 1); step i is centred at i * 8 ms."""

    magnitude: F32

    def envelope(self, midi: float, start_s: float, end_s: float) -> F64:
        """Return the sum of the harmonics of a pitch from one time to another, per step."""
        first, last = (max(0, round(time_s / STEP_S)) for time_s in (start_s, end_s))
        bins = np.round(_harmonics(midi, N_HARMONICS)).astype(int)
        return np.asarray(np.sqrt(self.magnitude[first : last + 1, bins]).sum(axis=1), float)

    def own_growth(self, midi: float, others: list[float], start_s: float, end_s: float) -> float:
        """Return by how much the harmonics of a pitch that others lack grow, on average; if those are few, all grow."""
        taken = np.concatenate([_harmonics(other, N_OTHERS) for other in others] or [np.empty(0)])
        own = _harmonics(midi, N_OWN)
        is_own = np.abs(own[:, None] - taken).min(axis=1, initial=np.inf) > APART
        own = own[is_own] if is_own.sum() >= LEAST_OWN else own
        first, last = (max(0, round(time_s / STEP_S)) for time_s in (start_s, end_s))
        levels = np.sqrt(self.magnitude[first : last + 1, np.round(own).astype(int)])
        if not levels.size:
            return 0.0
        level = levels.mean(axis=1)
        return float((level - np.minimum.accumulate(level)).max())

    def onset_s(self, midi: float, at_s: float) -> float | None:
        """Return when a pitch reaches the middle between before and after; None if it grows too little."""
        levels = self.envelope(midi, at_s - AROUND_S, at_s + AROUND_S)
        if len(levels) < 5:
            return None
        lowest = int(levels[: len(levels) * 2 // 3].argmin())
        low, high = float(levels[lowest]), float(levels[lowest:].max())
        if high < LEAST_GROWTH * low:
            return None
        above = lowest + int(np.argmax(levels[lowest:] >= (low + high) / 2))
        return max(0.0, at_s - AROUND_S) + above * STEP_S


def spectra(mono: F32) -> Spectra:
    """Measure 16 kHz mono, shape (n_samples,)."""
    padded = np.pad(mono, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    window = np.hanning(WINDOW).astype(np.float32)
    blocks = [
        np.abs(np.fft.rfft(frames[first : first + 2048] * window, axis=1)) for first in range(0, len(frames), 2048)
    ]
    return Spectra(np.concatenate(blocks).astype(np.float32))


def _harmonics(midi: float, n: int) -> F64:
    """Return the places of harmonics of a pitch in a spectrum [bins]."""
    bins = np.arange(1, n + 1) * 440 * 2 ** ((midi - 69) / 12) * WINDOW / RATE_HZ
    return np.asarray(bins[bins < WINDOW // 2 - 1])
