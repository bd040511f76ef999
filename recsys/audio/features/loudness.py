"""
Loudness by the broadcast standards, measured on all channels at the file's own sampling rate.

All channels have weight 1, whereas the standard gives surround channels more weight. The loudness of silence is None.

Sources: ITU-R BS.1770-5 (loudness, annex 1; true peak, annex 2); EBU Tech 3342 (loudness range); the filters for any
rate: De Man, Evaluation of Implementations of the EBU R128 Loudness Measurement (AES 2018).
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy.signal import resample, sosfilt

from recsys.arrays import F32, F64
from recsys.audio.signal import Signal
from recsys.lake.measured import Loudness

Samples = TypeVar("Samples", F32, F64)  # shape (n_channels, n_samples)
STEP_S = 0.1  # block lengths are multiples of it
MOMENTARY, SHORT_TERM = 4, 30  # blocks of 0.4 s and 3 s, in steps
FLOOR_LUFS = -70.0  # absolute gate
OFFSET_LU = -0.691  # so that 997 Hz at full scale in one channel has -3.01 LUFS
RANGE = (10, 95)  # percentiles
SILENT_DB = -60.0  # a quieter step is silence [dBFS]
OVERSAMPLING = 8  # twice that of annex 2: four times misses up to 0.6 dB of tones near half the sampling rate
MARGIN = 256  # samples on each side of those that are oversampled: what is further away changes less than 0.1 %
BLOCK = 4096  # samples that are oversampled, or skipped, together
PIECE = 1 << 19  # samples, a multiple of the block, that are filtered together
MAX_GAIN = 3.0  # by which a waveform can exceed its samples: noise of the whole width stays below it
HALFWAY_GAIN = 1.42  # by which a waveform can exceed its twice oversampled samples


def loudness(signal: Signal) -> Loudness:
    """Measure loudness, loudness range, true peak, stereo width and the share of silence."""
    meter = LoudnessMeter(signal.rate_hz, signal.n_channels)
    for piece in _pieces(signal.samples):
        meter.add(piece)
    return meter.result()


def _pieces(samples: F32) -> Iterator[F32]:
    """Yield consecutive pieces that end where blocks of the true peak end, so that these are the same as of a whole."""
    yield samples[:, : PIECE + MARGIN]
    for start in range(PIECE + MARGIN, samples.shape[1], PIECE):
        yield samples[:, start : start + PIECE]


class LoudnessMeter:
    """
    Measures the loudness of a recording whose samples are added piece by piece.

    Args:
        rate_hz: Sampling rate [Hz].
        n_channels: Number of channels.
    """

    def __init__(self, rate_hz: int, n_channels: int) -> None:
        self._rate_hz, self._n_channels = rate_hz, n_channels
        self._filters = k_weighting(rate_hz)
        self._state = np.zeros((len(self._filters), n_channels, 2))
        self._rest: tuple[F64, F32] = np.empty((n_channels, 0)), np.empty((n_channels, 0), np.float32)
        self._weighted: list[F64] = []
        self._plain: list[F64] = []
        self._true_peak = TruePeakMeter()
        self._side_power, self._mid_power = 0.0, 0.0

    def add(self, samples: F32) -> None:
        """Add the next samples, shape (n_channels, n_samples)."""
        filtered, self._state = sosfilt(self._filters, samples, axis=1, zi=self._state)
        weighted, plain = _joined(self._rest[0], filtered), _joined(self._rest[1], samples)
        self._weighted.append(step_powers(weighted, self._rate_hz))
        self._plain.append(step_powers(plain, self._rate_hz))
        n_used = len(self._weighted[-1]) * round(self._rate_hz * STEP_S)
        self._rest = weighted[:, n_used:].copy(), plain[:, n_used:].copy()  # a view would keep all samples
        self._true_peak.add(samples)
        left, right = samples[0], samples[min(1, self._n_channels - 1)]
        self._side_power += float(np.square(left - right).sum(dtype=np.float64))
        self._mid_power += float(np.square(left + right).sum(dtype=np.float64))

    def step_powers(self) -> F64:
        """Return the weighted power of each step of 0.1 s, summed over channels, shape (n_steps,)."""
        return np.concatenate([np.empty(0), *self._weighted])

    def result(self) -> Loudness:
        """
        Return the loudness of all samples.

        The stereo width is the power of the side signal (left - right) as a share of side plus mid (left + right),
        0..1: 0 for mono and for a single channel, 0.5 for uncorrelated channels, 1 if one channel is the inverse of the
        other, None for silence; of more than two channels, the first two are used.
        """
        weighted, plain = self.step_powers(), np.concatenate([np.empty(0), *self._plain]) / self._n_channels
        total = self._side_power + self._mid_power
        return Loudness(
            loudness_lufs=integrated(weighted),
            loudness_range_lu=loudness_range(weighted),
            true_peak_dbtp=self._true_peak.result(),
            stereo_width=self._side_power / total if total > 0 else None,
            silence_share=float((plain < 10 ** (SILENT_DB / 10)).mean()) if len(plain) else None,
        )


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
    """Return the peak of the eight times oversampled waveform [dBTP]; None if every sample is 0."""
    meter = TruePeakMeter()
    meter.add(samples)
    return meter.result()


class TruePeakMeter:
    """
    Measures the true peak of a recording whose samples are added piece by piece.

    Only blocks that can contain the peak are oversampled: a waveform exceeds its samples at most by `MAX_GAIN`, and its
    twice oversampled samples at most by 3 dB.
    """

    def __init__(self) -> None:
        self._peak = 0.0
        self._end: F32 | None = None  # of the last piece, the context of the next

    def add(self, samples: F32) -> None:
        """Add the next samples, shape (n_channels, n_samples)."""
        before = np.zeros((len(samples), MARGIN), np.float32) if self._end is None else self._end
        joined = np.concatenate([before, samples], axis=1)
        self._peak = max(self._peak, float(np.abs(samples).max(initial=0.0)))
        self._measure(joined)
        self._end = joined[:, -2 * MARGIN :].copy()

    def result(self) -> float | None:
        """Return the true peak [dBTP]; None if every sample is 0."""
        if self._end is not None:
            self._measure(np.pad(self._end, ((0, 0), (0, MARGIN))))
        return float(20 * np.log10(self._peak)) if self._peak else None

    def _measure(self, joined: F32) -> None:
        """Measure samples of which `MARGIN` at each end are context."""
        starts = range(0, joined.shape[1] - 2 * MARGIN, BLOCK)
        blocks = {start: joined[:, start : start + BLOCK + 2 * MARGIN] for start in starts}
        loud = {start: block for start, block in blocks.items() if np.abs(block).max() * MAX_GAIN > self._peak}
        halfway = {start: float(np.abs(oversampled(block, factor=2)).max()) for start, block in loud.items()}
        self._peak = max(self._peak, *halfway.values(), 0.0)
        for start in sorted(halfway, key=lambda start: -halfway[start]):
            if halfway[start] * HALFWAY_GAIN <= self._peak:
                break
            self._peak = max(self._peak, float(np.abs(oversampled(loud[start])).max()))


def oversampled(samples: F32, factor: int = OVERSAMPLING) -> F32:
    """
    Return the oversampled waveform, interpolated by Fourier transform, so exact up to half the sampling rate.

    Args:
        samples: Shape (n_channels, n_samples); `MARGIN` samples at each end are context.
        factor: How many times it is oversampled.

    Returns:
        Shape (n_channels, factor * (n_samples - 2 * MARGIN)); every `factor`-th value is one of the samples.
    """
    wave = resample(samples, factor * samples.shape[1], axis=1)
    inside: F32 = wave[:, factor * MARGIN : -factor * MARGIN]
    return inside


def _joined(rest: Samples, samples: Samples) -> Samples:
    """Return samples with the rest of the last piece before them, without a copy if nothing was left."""
    return np.concatenate([rest, samples], axis=1) if rest.size else samples


def short_term(powers: F64) -> F64:
    """Return the loudness of each block of 3 s, one every 0.1 s, from step powers [LUFS]; -inf for silence."""
    return _lufs(_blocks(powers, SHORT_TERM))


def momentary(powers: F64) -> F64:
    """Return the loudness of each block of 0.4 s, one every 0.1 s, from step powers [LUFS]; -inf for silence."""
    return _lufs(_blocks(powers, MOMENTARY))


def _blocks(powers: F64, n_steps: int) -> F64:
    """Return the mean power of every block of `n_steps` consecutive steps."""
    if len(powers) < n_steps:
        return powers[:0]
    total = np.concatenate([[0.0], np.cumsum(powers)])
    return np.asarray((total[n_steps:] - total[:-n_steps]) / n_steps)


def _lufs(power: F64 | float) -> F64:
    with np.errstate(divide="ignore"):
        return np.asarray(OFFSET_LU + 10 * np.log10(power))
