"""
Clicks: short disturbances that neither the samples before nor those after predict; repaired by interpolation.

An autoregressive model is fitted to each frame. At the onset of a note, the samples before do not predict what comes,
but those after do; a click is predicted by neither. It reaches as far as errors are large, one of them is very large,
and it stands out from the sound around it. Where the sound on one side is much louder than on the other, a note
begins or ends, and its noise is its own. Sounds that consist of such pulses, like square waves, have more of them in a
frame than there would be clicks, and are left alone.

Source: Godsill, Rayner, Digital Audio Restoration (1998), chapter 5 (detection and least-squares interpolation).
"""

import numpy as np
from scipy.linalg import solve_toeplitz

from recsys.arrays import F32, F64, I64

ORDER = 64  # of the autoregressive model
FRAME_S = 0.06  # length of a frame that has a model of its own
MIN_RATIO = 10.0  # of a prediction error over the frame's typical error, which one sample of a click has
EDGE_RATIO, EDGE = 3.0, 1e-3  # of all its samples but for gaps, and their prediction error at least, -60 dBFS
GAP_S = 0.0003  # longest gap in a click
MIN_LEAD = 2.0  # of the largest error over that of the pulse that has rank `RANK` in the frame
RANK = 2  # so many pulses in a frame are no clicks, but the sound itself
LONGEST_S = 0.002  # a longer disturbance is not a click
MIN_PEAK = 3e-3  # prediction error of a click, -50 dB of full scale
MARGIN_S = 0.0001  # that is repaired on both sides of a click
MAX_PER_SECOND = 50  # more candidates are the sound itself
MIN_HEIGHT = 1.25  # of the largest error, relative to the RMS of what is around the click
AROUND_S = 0.03  # before a click, and after it, of that
MAX_STEP = 4.0  # of the RMS on one side of a click over that on the other, 12 dB


def find_clicks(mono: F32, rate_hz: int) -> I64:
    """
    Find clicks in one channel.

    Args:
        mono: Shape (n,).
        rate_hz: Its sampling rate [Hz].

    Returns:
        First sample and end of each click, shape (n_clicks, 2).
    """
    n_frame = round(FRAME_S * rate_hz)
    if len(mono) < n_frame + 2 * ORDER:
        return np.empty((0, 2), np.int64)
    errors, scales = _errors(mono, n_frame)
    runs, peaks = _runs(errors, scales, rate_hz, n_frame)
    if len(runs) > MAX_PER_SECOND * len(mono) / rate_hz:
        return runs[:0]
    n_margin = round(MARGIN_S * rate_hz)
    before, after = _rms_around(mono, runs, round(AROUND_S * rate_hz))
    is_edge = np.maximum(before, after) > MAX_STEP * np.minimum(before, after)
    found = runs[~is_edge & (peaks > MIN_HEIGHT * np.sqrt((before**2 + after**2) / 2))]
    return np.asarray(np.clip(found + np.array([-n_margin, n_margin]), 0, len(mono)))


def _rms_around(mono: F32, runs: I64, n: int) -> tuple[F64, F64]:
    """Return the RMS of the n samples before and of those after each run, each of shape (n_runs,)."""
    sums = np.r_[0, np.cumsum(np.square(mono, dtype=np.float64))]
    first, start, end, last = np.clip(runs[:, [0, 0, 1, 1]] + np.array([-n, 0, 0, n]), 0, len(mono)).T
    before, after = sums[start] - sums[first], sums[last] - sums[end]
    return np.sqrt(before / np.maximum(start - first, 1)), np.sqrt(after / np.maximum(last - end, 1))


def _frames(mono: F32, n_frame: int) -> F64:
    """Return frames with ORDER samples of context on both sides, shape (n_frames, n_frame + 2 * ORDER)."""
    padded = np.pad(mono.astype(np.float64), (ORDER, ORDER + -len(mono) % n_frame))
    return np.lib.stride_tricks.sliding_window_view(padded, n_frame + 2 * ORDER)[::n_frame]


def models(frames: F64) -> F64:
    """Return the prediction error filters of frames, 1 first, shape (n_frames, ORDER + 1)."""
    tapered = frames * np.hanning(frames.shape[1])
    n_fft = 2 ** int(np.ceil(np.log2(2 * frames.shape[1])))
    correlations = np.fft.irfft(np.abs(np.fft.rfft(tapered, n_fft)) ** 2)[:, : ORDER + 1]
    correlations[:, 0] = correlations[:, 0] * (1 + 1e-6) + 1e-12
    return np.stack([np.r_[1.0, -solve_toeplitz(row[:-1], row[1:])] for row in correlations])


def _errors(mono: F32, n_frame: int) -> tuple[F64, F64]:
    """Return the smaller of both prediction errors of each sample, shape (n,), and each frame's typical error."""
    frames = _frames(mono, n_frame)
    filters = models(frames)
    forward, backward = np.zeros((2, len(frames), n_frame))
    for lag in range(ORDER + 1):
        weight = filters[:, lag, None]
        forward += weight * frames[:, ORDER - lag : ORDER - lag + n_frame]
        backward += weight * frames[:, ORDER + lag : ORDER + lag + n_frame]
    errors = np.minimum(np.abs(forward), np.abs(backward))
    scales = np.median(np.maximum(np.abs(forward), np.abs(backward)), axis=1)
    return errors.reshape(-1)[: len(mono)], scales


def _runs(errors: F64, scales: F64, rate_hz: int, n_frame: int) -> tuple[I64, F64]:
    """Return candidates, runs of large errors that are short and lead their frame, shape (n, 2), and their peaks."""
    typical = np.repeat(scales, n_frame)[: len(errors)]
    places = np.flatnonzero(errors > np.maximum(EDGE_RATIO * typical, EDGE))
    if not len(places):
        return np.empty((0, 2), np.int64), np.empty(0)
    breaks = np.flatnonzero(np.diff(places) > GAP_S * rate_hz)
    first = np.r_[0, breaks + 1]
    starts, ends = places[first], places[np.r_[breaks, len(places) - 1]] + 1
    peaks = np.maximum.reduceat(errors[places], first)
    rivals = _ranked_pulses(errors, n_frame)[starts // n_frame]
    is_large = peaks > np.maximum(MIN_RATIO * typical[starts], MIN_PEAK)
    is_click = is_large & (ends - starts <= LONGEST_S * rate_hz) & (peaks > MIN_LEAD * rivals)
    return np.stack([starts, ends], axis=1)[is_click], peaks[is_click]


def _ranked_pulses(errors: F64, n_frame: int) -> F64:
    """Return, per frame, the largest error in the part of its neighbourhood that has rank RANK, of 3 ms each."""
    n_part = n_frame // 20
    padded = np.pad(errors, (0, -len(errors) % (n_part * 20)))
    parts = padded.reshape(-1, n_part).max(axis=1)
    n_frames = -(-len(errors) // n_frame)
    around = [np.sort(parts[max(0, 20 * frame - 10) : 20 * frame + 30])[::-1] for frame in range(n_frames)]
    return np.array([part[min(RANK, len(part) - 1)] if len(part) else 0.0 for part in around])


def repair(mono: F32, rate_hz: int, clicks: I64) -> F32:
    """Return one channel with its clicks replaced by what the model of their surroundings predicts, shape (n,)."""
    repaired, n_context = mono.astype(np.float64), round(FRAME_S * rate_hz)
    for start, end in clicks:
        first, last = max(0, start - n_context), min(len(mono), end + n_context)
        repaired[start:end] = _interpolated(repaired[first:last], start - first, end - first)
    return repaired.astype(np.float32)


def _interpolated(samples: F64, start: int, end: int) -> F64:
    """Return samples start..end that minimise the prediction error, given those around them and their peak."""
    known = samples.copy()
    known[start:end] = np.linspace(known[max(0, start - 1)], known[min(len(known) - 1, end)], end - start)
    for _ in range(2):  # the model is first fitted to a straight line in place of the click
        (filter_,) = models(known[None])
        rows = np.arange(max(start, ORDER), min(end + ORDER, len(known)))
        columns = rows[:, None] - np.arange(ORDER + 1)
        matrix = np.zeros((len(rows), len(known)))
        np.put_along_axis(matrix, columns, np.broadcast_to(filter_, columns.shape), axis=1)
        unknown = matrix[:, start:end]
        rest = matrix @ np.r_[known[:start], np.zeros(end - start), known[end:]]
        known[start:end] = np.linalg.lstsq(unknown, -rest, rcond=None)[0] if len(rows) else known[start:end]
    peak = np.abs(np.delete(samples, np.s_[start:end])).max(initial=0.0)
    return np.clip(known[start:end], -peak, peak)
