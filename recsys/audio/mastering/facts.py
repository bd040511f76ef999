"""
Mastering facts of one file: level, peaks, stereo, delivery, tonal balance and the curve of its loudness.

The file is decoded piece by piece, so that one of three hours needs no more memory than one of three minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio.features.delivery import DeliveryMeter
from recsys.audio.features.lossy_origin import Origin
from recsys.audio.features.loudness import (
    BLOCK,
    MARGIN,
    MAX_GAIN,
    LoudnessMeter,
    momentary,
    oversampled,
    short_term,
)
from recsys.audio.features.spectral_balance import SpectrumMeter
from recsys.audio.signal import channel_pieces, is_lossless, without_invalid
from recsys.lake.measured import Delivery, Loudness


@dataclass(frozen=True, eq=False)
class Facts:
    """
    What was measured of a file.

    Attributes:
        codec: Name of the codec.
        rate_hz: Sampling rate of the file [Hz].
        n_channels: Number of channels.
        duration_s: Length [s].
        loudness: Integrated loudness, range, true peak, width.
        delivery: Crest, clipping, offset, silent ends, bandwidth, bits, balance.
        origin: What the samples say about a lossy origin; None for silence, and for a lossy file.
        short_term_lufs: Loudness of blocks of 3 s, one each 0.1 s, shape (n,) [LUFS]; -inf for silence.
        max_momentary_lufs, max_short_term_lufs: Highest loudness of 0.4 s and of 3 s [LUFS]; None where too short.
        n_overs: Places where the waveform between samples exceeds full scale, over all channels.
        dc_offsets: Mean of each channel, as a share of full scale.
        mono_loss_db: For each octave band, the level that is lost in mono [dB]; None unless there are two channels.
        n_invalid: Samples that are not finite or 18 dB over full scale; they count as 0.
    """

    codec: str
    rate_hz: int
    n_channels: int
    duration_s: float
    loudness: Loudness
    delivery: Delivery
    origin: Origin | None
    short_term_lufs: F64
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None
    n_overs: int
    dc_offsets: tuple[float, ...]
    mono_loss_db: tuple[float, ...] | None
    n_invalid: int

    @property
    def is_lossless(self) -> bool:
        """Whether the file's own codec keeps all samples."""
        return is_lossless(self.codec)

    @property
    def is_silent(self) -> bool:
        """Whether every sample is 0, or none is valid."""
        return self.loudness.true_peak_dbtp is None

    @property
    def peak_to_loudness_lu(self) -> float | None:
        """True peak over integrated loudness [LU]; None for silence."""
        peak, level = self.loudness.true_peak_dbtp, self.loudness.loudness_lufs
        return None if peak is None or level is None else peak - level


def measure(path: Path) -> Facts:
    """
    Measure a file.

    Args:
        path: The file, of any codec, length, rate and number of channels.

    Raises:
        UnreadableAudio: Nothing of the file can be decoded.
    """
    pieces = channel_pieces(path)
    first = next(pieces)
    meters = _Meters(first.codec, first.rate_hz, len(first.samples))
    meters.add(first.samples)
    for piece in pieces:
        meters.add(piece.samples)
    return meters.facts()


class _Meters:
    """All meters of a file."""

    def __init__(self, codec: str, rate_hz: int, n_channels: int) -> None:
        self._codec, self._rate_hz, self._n_channels = codec, rate_hz, n_channels
        self._loudness = LoudnessMeter(rate_hz, n_channels)
        self._delivery = DeliveryMeter(codec, rate_hz)
        self._mid = SpectrumMeter(rate_hz)
        self._sums = np.zeros(n_channels)
        self._end: F32 = np.zeros((n_channels, 2 * MARGIN), np.float32)
        self._n_overs = self._n_invalid = 0

    def add(self, decoded: F32) -> None:
        samples = without_invalid(decoded)
        self._n_invalid += int((samples != decoded).sum())  # NaN differs from everything
        self._loudness.add(samples)
        self._delivery.add(samples)
        if self._n_channels == 2:
            self._mid.add(samples.mean(axis=0, keepdims=True))
        self._sums += samples.sum(axis=1, dtype=np.float64)
        joined = np.concatenate([self._end, samples], axis=1)
        self._n_overs += sum(map(_n_overs, _blocks(joined)))
        self._end = joined[:, -2 * MARGIN :].copy()

    def facts(self) -> Facts:
        powers = self._loudness.step_powers()
        curve, blocks = short_term(powers), momentary(powers)
        n = self._delivery.n_samples
        return Facts(
            codec=self._codec,
            rate_hz=self._rate_hz,
            n_channels=self._n_channels,
            duration_s=n / self._rate_hz,
            loudness=self._loudness.result(),
            delivery=self._delivery.result(),
            origin=self._delivery.origin(),
            short_term_lufs=curve,
            max_momentary_lufs=_highest(blocks),
            max_short_term_lufs=_highest(curve),
            n_overs=self._n_overs,
            dc_offsets=tuple((self._sums / max(1, n)).tolist()),
            mono_loss_db=self._mono_loss(),
            n_invalid=self._n_invalid,
        )

    def _mono_loss(self) -> tuple[float, ...] | None:
        if self._n_channels != 2:
            return None
        stereo, mid = self._delivery.spectrum.band_powers() / 2, self._mid.band_powers()
        lost = 10 * np.log10((stereo + 1e-20) / (mid + 1e-20))
        return tuple(np.clip(lost, 0, 100).tolist())


def _highest(levels: F64) -> float | None:
    finite = levels[np.isfinite(levels)]
    return float(finite.max()) if len(finite) else None


def _blocks(joined: F32) -> Iterator[F32]:
    """Yield blocks of which `MARGIN` samples at each end are context, if they can exceed full scale."""
    for start in range(0, joined.shape[1] - 2 * MARGIN, BLOCK):
        block = joined[:, start : start + BLOCK + 2 * MARGIN]
        if np.abs(block).max() * MAX_GAIN > 1:
            yield block


def _n_overs(block: F32) -> int:
    """Return how often the waveform of a block rises above full scale."""
    is_over = np.abs(oversampled(block, factor=2)) > 1
    if np.abs(block).max() < 0.7 and not is_over.any():
        return 0
    is_over = np.abs(oversampled(block)) > 1
    return int((is_over[:, 1:] & ~is_over[:, :-1]).sum()) + int(is_over[:, 0].sum())
