"""
Facts on the delivery of a recording: clipping, direct current, silent ends, real bandwidth, bits and origin.

They are measured piece by piece, so that a recording of any length needs constant memory, in the file's own sampling
rate and channels. `docs/studio.md` states what each of them can and cannot show.
"""

import numpy as np

from recsys.arrays import F32, F64, I64
from recsys.audio.features.lossy_origin import EXCERPT, Origin, excerpts_of, lossy_origin
from recsys.audio.features.spectral_balance import SpectrumMeter
from recsys.audio.signal import Signal, is_lossless
from recsys.lake.measured import Delivery

PIECE = 1 << 21  # samples of a piece that a decoded recording is measured in
SILENT = 10 ** (-60 / 20)  # amplitude; ends are silent while all channels stay below it
LSB = 2.0**-15  # of 16 bits
FLAT = 1.5 * LSB  # samples this close to the peak are at the peak: negative full scale is one step further
MIN_RUN = 3  # consecutive samples at the peak that count as clipped
MIN_DROP = 16 * LSB  # fall beside a run; the top of a slow sine is flat, too, but falls slowly
MAX_BITS = 24  # that are distinguished; float samples have no more
BLOCK = 4096  # samples in which ends are looked for
MAX_EXCERPTS = 64  # that are kept for the lossy origin: 4 minutes at 44.1 kHz


def delivery(signal: Signal) -> Delivery:
    """Measure a decoded recording."""
    meter = DeliveryMeter(signal.codec, signal.rate_hz)
    for start in range(0, signal.samples.shape[1], PIECE):
        meter.add(signal.samples[:, start : start + PIECE])
    return meter.result()


class DeliveryMeter:
    """
    Measures a recording of which all samples are added in order.

    Args:
        codec: Codec of the file; only a lossless file is examined for a lossy origin.
        rate_hz: Sampling rate of the file [Hz].

    Attributes:
        n_samples: Samples per channel so far.
        spectrum: Mean spectrum so far.
    """

    def __init__(self, codec: str, rate_hz: int) -> None:
        self._is_lossless, self._rate_hz = is_lossless(codec), rate_hz
        self.n_samples = 0
        self.spectrum = SpectrumMeter(rate_hz)
        self._products: F64 = np.zeros((1, 1))
        self._sums: F64 = np.zeros(1)
        self._peak = 0.0
        self._clipped: dict[float, int] = {}  # peak of a piece -> samples of it in flat runs there
        self._first_sound: int | None = None
        self._end_of_sound = 0
        self._bits: int | None = 0
        self._excerpts: list[F32] = []
        self._end: F32 = np.empty((1, 0), np.float32)  # of the last piece, shorter than an excerpt

    def add(self, samples: F32) -> None:
        """Add the next samples, shape (n_channels, n_samples)."""
        exact = samples.astype(np.float64)
        self._products = self._products + exact @ exact.T
        self._sums = self._sums + samples.sum(axis=1, dtype=np.float64)
        self._add_peaks(samples)
        self._add_sound(samples)
        self._add_bits(samples)
        self.spectrum.add(samples)
        self._add_excerpts(samples)
        self.n_samples += samples.shape[1]

    def origin(self) -> Origin | None:
        """Return what the samples say about a lossy origin; None for silence, below 0.1 s, and for a lossy file."""
        return lossy_origin(np.concatenate(self._excerpts)) if self._excerpts else None

    @property
    def n_clipped(self) -> int:
        """Number of samples in flat runs at the peak of the recording, over all channels."""
        return sum(n for peak, n in self._clipped.items() if peak >= self._peak - FLAT)

    def result(self) -> Delivery:
        """Return the facts."""
        edge, origin = self.spectrum.edge(), self.origin()
        power = float(np.trace(self._products)) / max(1, self.n_samples * len(self._products))
        silent_end = self.n_samples - self._end_of_sound
        return Delivery(
            crest_db=max(0.0, float(20 * np.log10(self._peak) - 10 * np.log10(power))) if self._peak else None,
            clipped_samples=self.n_clipped if self._peak else None,
            channel_correlation=self._correlation(),
            dc_offset=self._dc_offset(),
            silent_start_s=None if self._first_sound is None else self._first_sound / self._rate_hz,
            silent_end_s=None if self._first_sound is None else silent_end / self._rate_hz,
            bandwidth_hz=None if edge is None else edge.hz,
            source_rate_hz=None if edge is None else edge.source_rate_hz,
            effective_bits=self._bits or None,
            lossy_origin=None if origin is None else origin.score,
            band_levels_db=self.spectrum.band_levels(),
        )

    def _dc_offset(self) -> float | None:
        if not self._peak:
            return None
        means = self._sums / self.n_samples
        return float(means[np.abs(means).argmax()])

    def _correlation(self) -> float | None:
        """Return the correlation of the two channels of stereo, -1..1, without their means."""
        if self._products.shape != (2, 2) or not self._peak:
            return None
        centred = self._products - np.outer(self._sums, self._sums) / self.n_samples
        powers = centred.diagonal()
        if (powers <= 1e-12 * self.n_samples).any():  # a channel that is silent
            return None
        return float(np.clip(centred[0, 1] / np.sqrt(powers.prod()), -1, 1))

    def _add_peaks(self, samples: F32) -> None:
        peak = float(np.abs(samples).max(initial=0.0))
        if peak >= self._peak - FLAT and peak > 0:
            self._clipped[peak] = self._clipped.get(peak, 0) + sum(_n_flat(channel, peak) for channel in samples)
        self._peak = max(self._peak, peak)

    def _add_bits(self, samples: F32) -> None:
        if self._bits is None or (self._bits and _is_whole(samples, self._bits)):
            return
        bits = _bits_of(samples)
        self._bits = None if bits is None else max(self._bits, bits)

    def _add_sound(self, samples: F32) -> None:
        starts = range(0, samples.shape[1], BLOCK)
        last = next((found for start in reversed(starts) if len(found := _sound(samples, start))), None)
        if last is None:
            return
        if self._first_sound is None:
            first = next(found for start in starts if len(found := _sound(samples, start)))
            self._first_sound = self.n_samples + int(first[0])
        self._end_of_sound = self.n_samples + int(last[-1]) + 1

    def _add_excerpts(self, samples: F32) -> None:
        if not self._is_lossless or sum(map(len, self._excerpts)) >= MAX_EXCERPTS:
            return
        joined = samples if not self._end.size else np.concatenate([self._end, samples], axis=1)
        found = excerpts_of(joined, self.n_samples - self._end.shape[1])
        if len(found):
            self._excerpts.append(found)
        self._end = joined[:, -(EXCERPT - 1) :].copy()


def _sound(samples: F32, start: int) -> I64:
    """Return the numbers of the samples of a block in which any channel is audible."""
    return start + np.flatnonzero((np.abs(samples[:, start : start + BLOCK]) > SILENT).any(axis=0))


def _n_flat(channel: F32, peak: float) -> int:
    """Return the number of samples in runs of three or more at a peak, with a steep fall on one side at least."""
    level = np.abs(channel)
    at_peak = np.flatnonzero(level >= peak - FLAT)
    if len(at_peak) < MIN_RUN:
        return 0
    breaks = np.flatnonzero(np.diff(at_peak) > 1)
    starts, ends = at_peak[np.r_[0, breaks + 1]], at_peak[np.r_[breaks, len(at_peak) - 1]] + 1
    before, after = level[np.maximum(starts - 1, 0)], level[np.minimum(ends, len(level) - 1)]
    is_clipped = (ends - starts >= MIN_RUN) & (peak - np.minimum(before, after) > MIN_DROP)
    return int((ends - starts)[is_clipped].sum())


def _bits_of(samples: F32) -> int | None:
    """Return the bits that samples use, 0 for silence; None if they are not whole numbers of 24 bits."""
    scaled = samples * np.float32(1 << MAX_BITS - 1)
    whole = np.rint(scaled)
    if not np.array_equal(scaled, whole):
        return None
    used = int(np.bitwise_or.reduce(np.abs(whole).astype(np.int32), axis=None))
    return MAX_BITS + 1 - (used & -used).bit_length() if used else 0


def _is_whole(samples: F32, n_bits: int) -> bool:
    """Return whether samples need no more than these bits."""
    scaled = samples * np.float32(1 << n_bits - 1)
    return np.array_equal(scaled, np.rint(scaled))
