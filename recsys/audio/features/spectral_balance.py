"""
The mean spectrum of a recording at its own sampling rate: levels of octave bands, and the edge where the spectrum ends.

Source of the bands: IEC 61260-1 (octave bands, here with centres at 31.25 Hz times powers of two).
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recsys.arrays import F32, F64

CENTRES_HZ = (31.25, 62.5, 125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0, 16_000.0)
LOWEST_DB = -120.0  # level of a band without power, and of one above half the sampling rate
FRAME_S, HOP_S = 0.19, 0.75  # of the frames; their length is rounded to a power of two
CELL_HZ = 100.0  # width of the cells in which an edge is looked for
BELOW, ABOVE = (8, 2), 8  # cells whose mean is the level below an edge, and first cell of the level above it
LOWEST_EDGE_HZ = 3_500.0
EMPTY_POWER = 1e-15  # of a cell that counts as empty: -150 dBFS, 30 dB below the noise of 16 bits
MIN_DROP_DB, MAX_RIPPLE_DB = 25.0, 12.0  # at an edge, and of the floor above it
SOURCE_RATES_HZ = (8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000, 88_200, 96_000)
EDGE_SHARE = (0.90, 1.01)  # of half the source's sampling rate, where the edge of an upsampled recording is


class Edge(NamedTuple):
    """
    Where the spectrum of a recording ends.

    Attributes:
        hz: Frequency of a steep fall to an even floor; half the sampling rate if there is none [Hz].
        source_rate_hz: The usual sampling rate that has this edge, if it is lower than that of the file; otherwise the
            latter [Hz].
    """

    hz: float
    source_rate_hz: int


class SpectrumMeter:
    """
    The mean power spectrum of a recording whose samples are added piece by piece, summed over channels.

    Args:
        rate_hz: Sampling rate [Hz].
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._n_fft = 1 << max(3, round(np.log2(rate_hz * FRAME_S)))
        window = np.hanning(self._n_fft + 1)[:-1]
        self._window = (window / np.sqrt(np.square(window).sum() * self._n_fft / 2)).astype(np.float32)
        self._power: F64 = np.zeros(self._n_fft // 2 + 1)
        self._n_frames = 0

    def add(self, samples: F32) -> None:
        """Add samples, shape (n_channels, n_samples)."""
        if samples.shape[1] < self._n_fft:
            return
        hop = max(1, round(self._rate_hz * HOP_S))
        frames = sliding_window_view(samples, self._n_fft, axis=1)[:, ::hop]  # (n_channels, n_frames, n_fft)
        for channel in frames:
            self._power += np.square(np.abs(np.fft.rfft(channel * self._window, axis=1))).sum(axis=0)
        self._n_frames += frames.shape[1]

    @property
    def mean(self) -> F64 | None:
        """Mean power of each bin, shape (n_fft / 2 + 1,), full scale 1; None below one frame and for silence."""
        return self._power / self._n_frames if self._power.any() else None

    def band_powers(self) -> F64:
        """Return the mean power in each octave band, shape (10,)."""
        mean = self._power / max(1, self._n_frames)
        hz = np.arange(len(mean)) * self._rate_hz / self._n_fft
        octave = np.floor(np.log2(np.maximum(hz, 1e-9) / CENTRES_HZ[0]) + 0.5)
        return np.array([mean[octave == n].sum() for n in range(len(CENTRES_HZ))])

    def band_levels(self) -> tuple[float, ...] | None:
        """Return the level of each octave band relative to their sum [dB], -120 at least; None for silence."""
        powers = self.band_powers()
        if not powers.any():
            return None
        with np.errstate(divide="ignore"):
            levels = 10 * np.log10(powers / powers.sum())
        return tuple(np.maximum(levels, LOWEST_DB).tolist())

    def edge(self) -> Edge | None:
        """Return where the spectrum ends; None for silence and below one frame."""
        mean = self.mean
        if mean is None:
            return None
        width = max(1, round(CELL_HZ * self._n_fft / self._rate_hz))
        cell_hz = width * self._rate_hz / self._n_fft
        n_cells = len(mean) // width
        powers = mean[: n_cells * width].reshape(n_cells, width).mean(axis=1)
        cells = 10 * np.log10(np.maximum(powers, EMPTY_POWER))
        found = _steepest_fall(cells, first=int(LOWEST_EDGE_HZ / cell_hz))
        if found is None:
            return Edge(self._rate_hz / 2, self._rate_hz)
        hz = (found + 0.5) * cell_hz
        return Edge(hz, _source_rate(hz, self._rate_hz))


def _steepest_fall(cells: F64, first: int) -> int | None:
    """Return the cell at which the level falls most to an even floor that lasts to the end, or None."""
    places = [n for n in range(max(first, BELOW[0]), len(cells) - ABOVE - 1) if _has_even_floor(cells[n + ABOVE :])]
    falls = {n: float(cells[n - BELOW[0] : n - BELOW[1]].mean() - cells[n + ABOVE :].max()) for n in places}
    best = max(falls, key=lambda n: falls[n], default=None)
    return best if best is not None and falls[best] >= MIN_DROP_DB else None


def _has_even_floor(cells: F64) -> bool:
    return bool(cells.max() - np.median(cells) <= MAX_RIPPLE_DB)


def _source_rate(edge_hz: float, rate_hz: int) -> int:
    """Return the sampling rate of which the edge is just below the half; the file's own if there is none."""
    fitting = (
        rate
        for rate in SOURCE_RATES_HZ
        if rate < 0.95 * rate_hz and EDGE_SHARE[0] * rate / 2 <= edge_hz <= EDGE_SHARE[1] * rate / 2
    )
    return next(fitting, rate_hz)
