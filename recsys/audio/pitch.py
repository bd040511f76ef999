"""
Pitch of one voice or instrument over time: the network SwiftF0 finds the octave, the waveform the cents.

The network (extra `studio`) tells voiced from unvoiced sound and is right within a fifth of a semitone; its estimate is
then refined to about a cent by the normalised correlation of neighbouring periods, which also says how periodic the
sound is: near 1 for one voice, lower for several at once and for noise.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from recsys.arrays import F32, F64, Bool

if TYPE_CHECKING:
    from swift_f0 import SwiftF0

RATE_HZ = 16_000
HOP = 256  # 16 ms, the network's
FRAME_S = HOP / RATE_HZ
MIN_CONFIDENCE = 0.5  # of the network, from which a frame is voiced
MIN_PERIODICITY = 0.6  # correlation of neighbouring periods below which a frame counts as unvoiced
SURE_PERIODICITY = 0.85  # from which the pitch is sure; two voices at once reach it in less than half of their frames
SEARCH = 0.035  # the refined period is within this share of the network's
SHORTEST_LAG = 80  # samples; of a higher voice, several periods are compared
WINDOW_S = 0.02  # length of what is compared, or two periods if they are longer
TINY = 1e-20  # product of the powers of two pieces, of which one is silent
AROUND_FRAMES, MAX_LEAP = 4, 5.0  # a frame so many semitones from the median of 9 frames is an error
MAX_GAP = 4  # frames; of a shorter gap, the pitch is looked for between those beside it
SOUNDING_DB = -50.0  # a frame is sounding above this level, relative to the loudest frame
SILENT_DB = -70.0  # and above this level [dBFS]


@dataclass(frozen=True, eq=False)
class PitchTrack:
    """
    Pitch per frame of 16 ms; frame i is centred at i * 16 ms.

    Attributes:
        midi: Pitch [semitones; 69 is 440 Hz], NaN where the sound is unvoiced or its pitch unsure. Shape (n_frames,).
        periodicity: Correlation of neighbouring periods, 0..1; 0 where unvoiced. Shape (n_frames,).
        is_sounding: Whether a frame is loud enough to be heard. Shape (n_frames,).
    """

    midi: F64
    periodicity: F64
    is_sounding: Bool

    @property
    def is_voiced(self) -> Bool:
        """Whether a frame has a pitch, shape (n_frames,)."""
        return ~np.isnan(self.midi)

    @property
    def sure_share(self) -> float:
        """Share of the sounding frames that have a sure pitch, 0..1; 0 for silence."""
        is_sure = self.is_voiced & (self.periodicity >= SURE_PERIODICITY)
        return float(is_sure[self.is_sounding].mean()) if self.is_sounding.any() else 0.0


def track_pitch(mono: F32) -> PitchTrack:
    """
    Measure the pitch of one voice.

    Args:
        mono: Audio at 16 kHz, full scale -1..1, shape (n_samples,), at least one sample.

    Raises:
        ModuleNotFoundError: The extra `studio` is not installed.
    """
    found = _network().detect(mono, RATE_HZ)
    is_voiced = found.confidence >= MIN_CONFIDENCE
    track = PitchTrack(np.full(len(is_voiced), np.nan), np.zeros(len(is_voiced)), _is_sounding(found.loudness_db))
    padded = np.pad(mono, RATE_HZ // 10).astype(np.float64)
    _refine(track, padded, {int(frame): RATE_HZ / float(found.pitch_hz[frame]) for frame in np.flatnonzero(is_voiced)})
    track.midi[_is_outlier(track.midi)] = np.nan
    _refine(track, padded, _short_gaps(track.midi))
    return track


def _is_sounding(level_db: F64) -> Bool:
    return np.asarray(level_db > max(SILENT_DB, float(level_db.max()) + SOUNDING_DB))


def _refine(track: PitchTrack, padded: F64, periods: dict[int, float]) -> None:
    """Write pitch and periodicity of frames, given their estimated periods [samples], where they are periodic."""
    for frame, estimate in periods.items():
        period, track.periodicity[frame] = _refined(padded, HOP * frame + RATE_HZ // 10, estimate)
        if track.periodicity[frame] >= MIN_PERIODICITY:
            track.midi[frame] = 69 + 12 * np.log2(RATE_HZ / period / 440)


def _short_gaps(midi: F64) -> dict[int, float]:
    """Return the frames of short gaps between frames of about the same pitch, with the period between theirs."""
    voiced = np.flatnonzero(~np.isnan(midi))
    gaps = {}
    for before, after in pairwise(voiced):
        if 1 < after - before <= MAX_GAP + 1 and abs(midi[after] - midi[before]) < 1:
            for frame in range(before + 1, after):
                between = np.interp(frame, [before, after], midi[[before, after]])
                gaps[int(frame)] = float(RATE_HZ / (440 * 2 ** ((between - 69) / 12)))
    return gaps


def _is_outlier(midi: F64) -> Bool:
    """Return which frames are far from the median of the frames around them: errors of an octave, for instance."""
    around = sliding_window_view(np.pad(midi, AROUND_FRAMES, constant_values=np.nan), 2 * AROUND_FRAMES + 1)
    outlier = np.zeros(len(midi), np.bool_)
    voiced = np.flatnonzero(~np.isnan(midi))
    outlier[voiced] = np.abs(midi[voiced] - np.nanmedian(around[voiced], axis=1)) > MAX_LEAP
    return outlier


@cache
def _network() -> "SwiftF0":
    from swift_f0 import SwiftF0  # noqa: PLC0415 - of the extra `studio`

    return SwiftF0(threads=1, spin=False)


def _refined(samples: F64, centre: int, period: float) -> tuple[float, float]:
    """Return the period near an estimate [samples] and the normalised correlation over it."""
    n_periods = max(1, round(SHORTEST_LAG / period))
    lag = n_periods * period
    first, last = int(lag * (1 - SEARCH)) - 1, int(lag * (1 + SEARCH)) + 2
    length = max(int(WINDOW_S * RATE_HZ), int(2 * period))
    start = centre - (length + round(lag)) // 2
    template, region = samples[start : start + length], samples[start + first : start + last + length]
    products = np.correlate(region, template, "valid")  # (last - first + 1,)
    powers = window_powers(region, length) * float(template @ template)
    correlation = products / np.sqrt(np.maximum(powers, TINY))
    best = int(correlation[1:-1].argmax()) + 1
    shift, peak = parabolic_peak(correlation, best)
    return (first + best + shift) / n_periods, min(1.0, peak)


def window_powers(samples: F64, length: int) -> F64:
    """Return the sum of squares of each window of a length, shape (n_samples - length + 1,)."""
    total = np.concatenate([[0.0], np.cumsum(np.square(samples))])
    return np.asarray(np.maximum(total[length:] - total[:-length], 0.0))


def parabolic_peak(values: F64, best: int) -> tuple[float, float]:
    """Return place, relative to `best` and within half a step of it, and height of the parabola through its peak."""
    before, centre, after = values[best - 1 : best + 2]
    curvature = before - 2 * centre + after
    shift = float(np.clip((before - after) / (2 * curvature), -0.5, 0.5)) if curvature < 0 else 0.0
    return shift, float(centre - (before - after) * shift / 4)
