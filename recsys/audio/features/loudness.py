"""
How loud a recording is: measured at the file's own rate and channels, as broadcasters measure it.

Channels weigh 1, so that of more than two the surround channels are not raised. Silence has no loudness: None.

Sources: ITU-R BS.1770-5 (loudness, annex 1; true peak, annex 2); EBU Tech 3342 (loudness range); the filters for any
rate: De Man, Evaluation of Implementations of the EBU R128 Loudness Measurement (AES 2018).
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin, resample_poly, sosfilt

from recsys.arrays import F32, F64
from recsys.audio.signal import Signal
from recsys.lake.measured import Loudness

STEP_S = 0.1  # both block lengths are whole numbers of these
MOMENTARY, SHORT_TERM = 4, 30  # blocks of 0.4 s and of 3 s, in steps
FLOOR_LUFS = -70.0
OFFSET_LU = -0.691  # 997 Hz at full scale in one channel has -3.01 LUFS
RANGE = (10, 95)  # percentiles
SILENT_DB = -60.0  # a step this quiet is silence, relative to full scale
OVERSAMPLING = 4
TAPS = 49  # of the interpolating filter, as in annex 2
BLOCK = 4096  # samples of a block that is oversampled or passed over


def loudness(signal: Signal) -> Loudness:
    """Measure loudness, its range, the true peak, the stereo width and the share of silence."""
    weighted = step_powers(sosfilt(k_weighting(signal.rate_hz), signal.samples, axis=1), signal.rate_hz)
    plain = step_powers(signal.samples, signal.rate_hz) / signal.n_channels
    return Loudness(
        loudness_lufs=integrated(weighted),
        loudness_range_lu=loudness_range(weighted),
        true_peak_dbtp=true_peak(signal.samples),
        stereo_width=stereo_width(signal),
        silence_share=float((plain < 10 ** (SILENT_DB / 10)).mean()) if len(plain) else None,
    )


def stereo_width(signal: Signal) -> float | None:
    """
    Return how much of the power two channels do not share, 0 (mono) to 1 (one is the other's inverse).

    That is the power of their difference among that of difference and sum: 0.5 where they have nothing in common. None
    for silence; 0 for one channel; of more than two, the first two count.
    """
    if signal.n_channels == 1:
        return 0.0 if signal.samples.any() else None
    left, right = signal.samples[:2]
    side, mid = float(np.square(left - right).mean()), float(np.square(left + right).mean())
    return side / (side + mid) if side + mid > 0 else None


def k_weighting(rate_hz: int) -> F64:
    """Return the two filters of annex 1 for a rate, as second-order sections, shape (2, 6)."""
    high_gain, shelf_gain = 10 ** (3.999843853973347 / 20), (10 ** (3.999843853973347 / 20)) ** 0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    shelf = [
        *(high_gain + shelf_gain * k / q + k * k, 2 * (k * k - high_gain), high_gain - shelf_gain * k / q + k * k),
        *(1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k),
    ]
    h, r = np.tan(np.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    high_pass = [1 + h / r + h * h, -2 * (1 + h / r + h * h), 1 + h / r + h * h]  # unit gain where nothing is cut
    high_pass += [1 + h / r + h * h, 2 * (h * h - 1), 1 - h / r + h * h]
    sections = np.array([shelf, high_pass])
    normalised: F64 = sections / sections[:, 3:4]
    return normalised


def step_powers(samples: npt.NDArray[np.floating], rate_hz: int) -> F64:
    """Return the mean square of each whole step of 0.1 s, summed over channels, shape (n_steps,)."""
    n_a_step = round(rate_hz * STEP_S)
    n_steps = samples.shape[1] // n_a_step
    steps = samples[:, : n_steps * n_a_step].reshape(samples.shape[0], n_steps, n_a_step)
    return np.asarray(np.einsum("cst,cst->s", steps, steps, dtype=np.float64) / n_a_step)


def integrated(powers: F64) -> float | None:
    """Return the loudness of the blocks of 0.4 s that pass both gates [LUFS]; every step begins a block."""
    blocks = _blocks(powers, MOMENTARY)
    heard = blocks[_lufs(blocks) > FLOOR_LUFS]
    if not len(heard):
        return None
    return float(_lufs(heard[_lufs(heard) > _lufs(heard.mean()) - 10].mean()))


def loudness_range(powers: F64) -> float | None:
    """Return the spread of the blocks of 3 s that pass both gates, from the 10th to the 95th percentile [LU]."""
    blocks = _blocks(powers, SHORT_TERM)
    heard = blocks[_lufs(blocks) > FLOOR_LUFS]
    if not len(heard):
        return None
    low, high = np.percentile(_lufs(heard[_lufs(heard) > _lufs(heard.mean()) - 20]), RANGE)
    return float(high - low)


def true_peak(samples: F32) -> float | None:
    """Return the highest value between the samples, at four times the rate [dBTP]."""
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return None
    kernel = firwin(TAPS, 1 / OVERSAMPLING, window=("kaiser", 5.0)) * OVERSAMPLING
    most = max(np.abs(kernel[phase::OVERSAMPLING]).sum() for phase in range(OVERSAMPLING))  # it can raise a sample to
    margin = TAPS // OVERSAMPLING + 1  # samples that an interpolated one depends on
    around = np.pad(samples, ((0, 0), (margin, margin)))
    for start in range(0, samples.shape[1], BLOCK):
        block = around[:, start : start + BLOCK + 2 * margin]
        if np.abs(block).max() * most > peak:
            raised = resample_poly(block, OVERSAMPLING, 1, axis=1, window=kernel / OVERSAMPLING)
            inside = raised[:, OVERSAMPLING * margin : -OVERSAMPLING * margin]
            peak = max(peak, float(np.abs(inside).max()))
    return float(20 * np.log10(peak))


def _blocks(powers: F64, n_steps: int) -> F64:
    """Return the mean power of every run of so many steps."""
    if len(powers) < n_steps:
        return powers[:0]
    total = np.concatenate([[0.0], np.cumsum(powers)])
    return np.asarray((total[n_steps:] - total[:-n_steps]) / n_steps)


def _lufs(power: F64 | float) -> F64:
    with np.errstate(divide="ignore"):
        return np.asarray(OFFSET_LU + 10 * np.log10(power))
