"""
Loudness by the broadcast standards, measured on all channels at the file's own sampling rate.

All channels have weight 1, whereas the standard gives surround channels more weight. The loudness of silence is None.

Sources: ITU-R BS.1770-5 (loudness, annex 1; true peak, annex 2); EBU Tech 3342 (loudness range); the filters for any
rate: De Man, Evaluation of Implementations of the EBU R128 Loudness Measurement (AES 2018).
"""

import numpy as np
import numpy.typing as npt
from scipy.signal import firwin, resample_poly, sosfilt

from recsys.arrays import F32, F64
from recsys.audio.signal import Signal
from recsys.lake.measured import Loudness

STEP_S = 0.1  # block lengths are multiples of it
MOMENTARY, SHORT_TERM = 4, 30  # blocks of 0.4 s and 3 s, in steps
FLOOR_LUFS = -70.0  # absolute gate
OFFSET_LU = -0.691  # so that 997 Hz at full scale in one channel has -3.01 LUFS
RANGE = (10, 95)  # percentiles
SILENT_DB = -60.0  # a quieter step is silence [dBFS]
OVERSAMPLING = 4
TAPS = 49  # of the interpolation filter, as in annex 2
BLOCK = 4096  # samples that are oversampled, or skipped, together


def loudness(signal: Signal) -> Loudness:
    """Measure loudness, loudness range, true peak, stereo width and the share of silence."""
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
    Return the power of the side signal (left - right) as a share of side plus mid (left + right), 0..1.

    0: mono, 0.5: uncorrelated channels, 1: one channel is the inverse of the other. None for silence; 0 for a single
    channel; if there are more than two channels, the first two are used.
    """
    if signal.n_channels == 1:
        return 0.0 if signal.samples.any() else None
    left, right = signal.samples[:2]
    side, mid = float(np.square(left - right).mean()), float(np.square(left + right).mean())
    return side / (side + mid) if side + mid > 0 else None


def k_weighting(rate_hz: int) -> F64:
    """Return the K-weighting filters of annex 1, shelving and high-pass, as second-order sections, shape (2, 6)."""
    high_gain, shelf_gain = 10 ** (3.999843853973347 / 20), (10 ** (3.999843853973347 / 20)) ** 0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / rate_hz), 0.7071752369554196
    high_shelf = [
        *(high_gain + shelf_gain * k / q + k * k, 2 * (k * k - high_gain), high_gain - shelf_gain * k / q + k * k),
        *(1 + k / q + k * k, 2 * (k * k - 1), 1 - k / q + k * k),
    ]
    h, r = np.tan(np.pi * 38.13547087602444 / rate_hz), 0.5003270373238773
    high_pass = [1 + h / r + h * h, -2 * (1 + h / r + h * h), 1 + h / r + h * h]  # unit gain in the pass band
    high_pass += [1 + h / r + h * h, 2 * (h * h - 1), 1 - h / r + h * h]
    sections = np.array([high_shelf, high_pass])
    normalised: F64 = sections / sections[:, 3:4]
    return normalised


def step_powers(samples: npt.NDArray[np.floating], rate_hz: int) -> F64:
    """Return the power (mean square) of each complete step of 0.1 s, summed over channels, shape (n_steps,)."""
    n_per_step = round(rate_hz * STEP_S)
    n_steps = samples.shape[1] // n_per_step
    steps = samples[:, : n_steps * n_per_step].reshape(samples.shape[0], n_steps, n_per_step)
    return np.asarray(np.einsum("cst,cst->s", steps, steps, dtype=np.float64) / n_per_step)


def integrated(powers: F64) -> float | None:
    """Return integrated loudness [LUFS] from step powers: the mean of 0.4 s blocks that pass both gates, or None."""
    blocks = _blocks(powers, MOMENTARY)
    gated = blocks[_lufs(blocks) > FLOOR_LUFS]
    if not len(gated):
        return None
    return float(_lufs(gated[_lufs(gated) > _lufs(gated.mean()) - 10].mean()))


def loudness_range(powers: F64) -> float | None:
    """Return the loudness range [LU] from step powers: 10th to 95th percentile of gated 3 s blocks, or None."""
    blocks = _blocks(powers, SHORT_TERM)
    gated = blocks[_lufs(blocks) > FLOOR_LUFS]
    if not len(gated):
        return None
    low, high = np.percentile(_lufs(gated[_lufs(gated) > _lufs(gated.mean()) - 20]), RANGE)
    return float(high - low)


def true_peak(samples: F32) -> float | None:
    """Return the peak of the four times oversampled waveform [dBTP]; None if every sample is 0."""
    peak = float(np.abs(samples).max(initial=0.0))
    if not peak:
        return None
    kernel = firwin(TAPS, 1 / OVERSAMPLING, window=("kaiser", 5.0)) * OVERSAMPLING
    max_gain = max(np.abs(kernel[phase::OVERSAMPLING]).sum() for phase in range(OVERSAMPLING))  # of the interpolation
    margin = TAPS // OVERSAMPLING + 1  # samples on each side that an interpolated one depends on
    padded = np.pad(samples, ((0, 0), (margin, margin)))
    for start in range(0, samples.shape[1], BLOCK):
        block = padded[:, start : start + BLOCK + 2 * margin]
        if np.abs(block).max() * max_gain > peak:
            oversampled = resample_poly(block, OVERSAMPLING, 1, axis=1, window=kernel / OVERSAMPLING)
            inside = oversampled[:, OVERSAMPLING * margin : -OVERSAMPLING * margin]
            peak = max(peak, float(np.abs(inside).max()))
    return float(20 * np.log10(peak))


def _blocks(powers: F64, n_steps: int) -> F64:
    """Return the mean power of every block of `n_steps` consecutive steps."""
    if len(powers) < n_steps:
        return powers[:0]
    total = np.concatenate([[0.0], np.cumsum(powers)])
    return np.asarray((total[n_steps:] - total[:-n_steps]) / n_steps)


def _lufs(power: F64 | float) -> F64:
    with np.errstate(divide="ignore"):
        return np.asarray(OFFSET_LU + 10 * np.log10(power))
