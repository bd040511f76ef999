"""
Shift the pitch of a voiced passage by time-domain PSOLA (pitch-synchronous overlap-add): formants stay where they are.

Pitch marks are placed one period apart. At the new pitch, pieces of the waveform around the marks are put closer
together or further apart, each unchanged, so that the spectral envelope stays; where they no longer fit the length,
single periods are repeated or left out. Pieces are shifted by fractions of a sample, and faded into each other by
raised cosines that add up to 1: where nothing is corrected, the waveform is the same.

Source: Moulines, Charpentier, "Pitch-synchronous waveform processing techniques", Speech Communication 9 (1990).
"""

from collections.abc import Callable

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio.pitch import TINY, parabolic_peak, window_powers

SEARCH = 0.08  # a mark is within this share of a period of where the last one predicts it
N_TAPS = 32  # of the interpolation by fractions of a sample
MIN_LIKENESS = 0.7  # correlation of two periods; a passage begins and ends with such a pair
MIN_MARKS = 4  # a shorter passage is left alone

Curve = Callable[[F64], F64]  # times [samples] -> a value per time


def pitch_marks(mono: F32, start: int, end: int, period: Curve) -> F64:
    """
    Place pitch marks one period apart.

    Args:
        mono: The waveform, shape (n_samples,).
        start: First sample of a voiced passage.
        end: The sample after it.
        period: Estimated period [samples].

    Returns:
        Places of the marks [samples], increasing, within the passage, between its first and last period that is like
        the next. Shape (n_marks,).
    """
    first = round(float(period(np.array([start]))[0]))
    marks = [float(start + int(np.abs(mono[start : start + first]).argmax()))] if end - start > first else []
    likeness: list[float] = []
    while marks:
        length = float(period(np.array([marks[-1]]))[0])
        following, like = _next_mark(mono, marks[-1], length)
        if following >= end:
            break
        marks.append(following)
        likeness.append(like)
    alike = np.flatnonzero(np.array(likeness) >= MIN_LIKENESS)
    return np.array(marks)[alike[0] : alike[-1] + 2] if len(alike) else np.empty(0)


def _next_mark(mono: F32, mark: float, period: float) -> tuple[float, float]:
    """Return the place near mark + period where the waveform is most like that around the mark, and how much, -1..1."""
    half, reach = round(period / 2), max(2, round(SEARCH * period))
    centre, expected = round(mark), round(mark + period)
    if centre - half < 0 or expected + half + reach + 1 > len(mono):
        return mark + period, 0.0
    template = mono[centre - half : centre + half].astype(np.float64)
    region = mono[expected - half - reach : expected + half + reach].astype(np.float64)
    powers = window_powers(region, len(template)) * float(template @ template)
    correlation = np.correlate(region, template, "valid") / np.sqrt(np.maximum(powers, TINY))  # (2 * reach + 1,)
    best = int(correlation.argmax())
    if correlation[best] <= 0 or best in {0, 2 * reach}:
        return mark + period, float(correlation[best])
    shift, like = parabolic_peak(correlation, best)
    return mark - centre + expected - reach + best + shift, like


def shift_passage(samples: F32, result: F32, marks: F64, ratio: Curve) -> None:
    """
    Change the pitch between the first and the last mark.

    Args:
        samples: Shape (n_channels, n_samples).
        result: Where the passage is written, of the same shape. What is before the first mark with another ratio than
            1, and from the last mark on, is not written.
        marks: Pitch marks of one passage [samples], shape (n_marks,).
        ratio: New frequency over old, by time [samples].
    """
    if len(marks) < MIN_MARKS:
        return
    ratios = ratio((marks[:-1] + marks[1:]) / 2)
    changed = np.flatnonzero(np.abs(ratios - 1) > 1e-9)
    if not len(changed):
        return
    marks, ratios = marks[changed[0] :], ratios[changed[0] :]
    phases = np.concatenate([[0.0], np.cumsum(ratios)])  # new periods since the first mark, at each mark
    new = np.interp(np.arange(max(1, int(phases[-1]))), phases, marks)  # without the last: the end is faded longer
    shifts = new - _nearest(marks, new)
    for j in range(len(new) - 1):
        _fade(samples, result, (new[j], new[j + 1]), (shifts[j], shifts[j + 1]))
    _fade(samples, result, (new[-1], float(marks[-1])), (shifts[-1], 0.0))


def _nearest(marks: F64, places: F64) -> F64:
    after = np.clip(np.searchsorted(marks, places), 1, len(marks) - 1)
    before, behind = marks[after - 1], marks[after]
    return np.where(places - before <= behind - places, before, behind)


def _fade(samples: F32, result: F32, span: tuple[float, float], shifts: tuple[float, float]) -> None:
    """Write one interval between new marks: from the waveform shifted as at its start to that as at its end."""
    start, end = int(np.ceil(span[0])), int(np.ceil(span[1]))
    if end <= start:
        return
    weight = 0.5 - 0.5 * np.cos(np.pi * (np.arange(start, end) - span[0]) / (span[1] - span[0]))
    before, after = (_delayed(samples, start, end, shift) for shift in shifts)
    result[:, start:end] = before * (1 - weight) + after * weight


def _delayed(samples: F32, start: int, end: int, shift: float) -> F64:
    """Return samples[t - shift] for t in start..end, by a windowed sinc; shape (n_channels, end - start)."""
    whole = int(np.floor(shift))
    part = shift - whole
    low, high = start - whole - N_TAPS // 2, end - whole + N_TAPS // 2
    piece = samples[:, max(low, 0) : max(high, 0)].astype(np.float64)
    if low < 0 or high > samples.shape[1]:
        piece = np.pad(piece, ((0, 0), (max(-low, 0), max(high - samples.shape[1], 0))))
    if not part:
        return piece[:, N_TAPS // 2 : N_TAPS // 2 + end - start]
    taps = np.arange(-N_TAPS // 2, N_TAPS // 2) + 1 - part  # distance of each tap from the wanted place
    kernel = np.sinc(taps) * np.cos(np.pi * taps / (N_TAPS + 2)) ** 2
    kernel /= kernel.sum()
    return np.stack([np.convolve(channel, kernel, "valid")[: end - start] for channel in piece])
