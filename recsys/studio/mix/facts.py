"""
Facts of stems: level, peak, crest, balance by band, place in the stereo image, faults, and how pairs of stems agree.

Correlations are those of the mean of the channels at 8 kHz with a first difference, so that bass does not decide them.
"""

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from recsys.arrays import F32, F64
from recsys.audio.features.loudness import loudness
from recsys.audio.signal import Signal, resample
from recsys.studio.files import Recording
from recsys.studio.mix.bands import band_powers, broad_of_bands, covered_shares

CORRELATION_HZ, MAX_LAG_S = 8_000, 0.02
MIN_CLIPPED_RUN = 3  # consecutive samples at the peak that count as one clipping
FLAT = 1e-5  # two samples that differ by less are at the same height
PEAK_OF_CLIPPING = 0.05  # a stem with a lower peak is too quiet to judge whether its tops are flat


@dataclass(frozen=True)
class StemFacts:
    """
    Facts of one stem.

    Attributes:
        name: Name of the file without its suffix.
        duration_s: Length [s].
        rate_hz: Sampling rate [Hz].
        n_channels: Number of channels.
        lost_s: Length that could not be decoded or was not finite [s].
        loudness_lufs: Integrated loudness; None for silence and below 0.4 s.
        true_peak_dbtp: True peak; None for silence.
        crest_db: Peak over root mean square; None for silence.
        n_clipped: Number of flat tops: at least three samples at the stem's peak.
        dc: Mean of the channel that is furthest from 0; full scale is 1.
        position: Place in the stereo image, -1 left to 1 right; None for silence and other than two channels.
        stereo_width: Power of the side as a share, 0..1 (0.5 uncorrelated, 1 one channel inverted); None for silence.
        balance_db: Power in each of `BROAD`, relative to their sum; None for silence. Bands without power have -120.
    """

    name: str
    duration_s: float
    rate_hz: int
    n_channels: int
    lost_s: float
    loudness_lufs: float | None
    true_peak_dbtp: float | None
    crest_db: float | None
    n_clipped: int
    dc: float
    position: float | None
    stereo_width: float | None
    balance_db: tuple[float, ...] | None


@dataclass(frozen=True, eq=False)
class Stem:
    """
    A stem as it is compared with others.

    Attributes:
        facts: Its facts.
        powers: Power by band, shape (n_frames, N_BANDS).
        wave: Mean of the channels at 8 kHz, first difference, shape (n,), float32.
    """

    facts: StemFacts
    powers: F64
    wave: F32


@dataclass(frozen=True)
class PairFacts:
    """
    How two stems agree.

    Attributes:
        first, second: Names.
        correlation: At lag 0, -1..1.
        best_lag_ms: Where the correlation is furthest from 0 within 20 ms; positive if the second comes later [ms].
        best_correlation: The correlation there.
        opposite: Furthest correlation of the other sign.
        covered: Share of the first's time that the second covers, in each of `BROAD`, 0..1; None where it has nothing.
        covers: Share of the second's time that the first covers.
    """

    first: str
    second: str
    correlation: float
    best_lag_ms: float
    best_correlation: float
    opposite: float
    covered: tuple[float | None, ...]
    covers: tuple[float | None, ...]


def stem_of(name: str, recording: Recording) -> Stem:
    """Measure a stem."""
    samples, rate_hz = recording.samples, recording.rate_hz
    powers = band_powers(samples, rate_hz)
    mono = resample(samples.mean(axis=0, dtype=np.float32), rate_hz, CORRELATION_HZ)
    return Stem(_facts(name, recording, powers), powers, np.diff(mono, prepend=np.float32(0)))


def _facts(name: str, recording: Recording, powers: F64) -> StemFacts:
    samples = recording.samples
    measured = loudness(Signal(samples, recording.rate_hz, "", recording.lost_s))
    means = samples.mean(axis=1, dtype=np.float64)
    channel_powers = np.maximum(
        np.einsum("ct,ct->c", samples, samples, dtype=np.float64) / samples.shape[1] - means**2, 0.0
    )
    rms = float(np.sqrt(channel_powers.mean()))
    peak = float(np.maximum(samples.max(axis=1) - means, means - samples.min(axis=1)).max())
    return StemFacts(
        name=name,
        duration_s=recording.duration_s,
        rate_hz=recording.rate_hz,
        n_channels=len(samples),
        lost_s=recording.lost_s,
        loudness_lufs=measured.loudness_lufs,
        true_peak_dbtp=measured.true_peak_dbtp,
        crest_db=float(20 * np.log10(peak / rms)) if rms > 1e-9 else None,
        n_clipped=n_clipped(samples),
        dc=float(means[np.abs(means).argmax()]),
        position=_position(channel_powers),
        stereo_width=measured.stereo_width,
        balance_db=_balance_db(powers),
    )


def n_clipped(samples: F32) -> int:
    """Return the number of flat tops: runs of at least three samples at a channel's highest or lowest value."""
    count = 0
    for channel in samples:
        for sign in (1, -1):
            peak = float((sign * channel).max(initial=0.0))
            if peak < PEAK_OF_CLIPPING:
                continue
            is_top = np.concatenate([[False], sign * channel >= peak - FLAT, [False]])
            edges = np.flatnonzero(np.diff(is_top.astype(np.int8))).reshape(-1, 2)
            count += int((edges[:, 1] - edges[:, 0] >= MIN_CLIPPED_RUN).sum())
    return count


def _position(channel_powers: F64) -> float | None:
    if len(channel_powers) != 2:
        return None
    left, right = channel_powers
    return float((right - left) / (right + left)) if right + left > 0 else None


def _balance_db(powers: F64) -> tuple[float, ...] | None:
    by_band = broad_of_bands() @ powers.sum(axis=0)
    if by_band.sum() <= 0:
        return None
    return tuple(float(it) for it in 10 * np.log10(np.maximum(by_band / by_band.sum(), 1e-12)))


def pairs_of(stems: list[Stem]) -> list[PairFacts]:
    """Compare every two stems that are not silent, in the order of the stems."""
    length = next_fast_len(max(len(stem.wave) for stem in stems) + round(MAX_LAG_S * CORRELATION_HZ), real=True)
    spectra = [_unit_spectrum(stem.wave, length) for stem in stems]
    return [
        _pair(stems[i], stems[j], correlations(spectra[i], spectra[j], length))
        for i in range(len(stems))
        for j in range(i + 1, len(stems))
        if spectra[i].any() and spectra[j].any()
    ]


def _unit_spectrum(wave: F32, length: int) -> F64:
    norm = float(np.sqrt(np.square(wave, dtype=np.float64).sum()))
    return np.asarray(rfft(wave / norm if norm else wave, length))


def correlations(first: F64, second: F64, length: int) -> F64:
    """Return the correlation at each lag within 20 ms, that of lag 0 in the middle, from spectra of unit norm."""
    most = round(MAX_LAG_S * CORRELATION_HZ)
    circular = irfft(np.conj(first) * second, length)
    return np.concatenate([circular[-most:], circular[: most + 1]])


def _pair(first: Stem, second: Stem, correlation: F64) -> PairFacts:
    best = int(np.abs(correlation).argmax())
    sign = np.sign(correlation[best])
    n_frames = min(len(first.powers), len(second.powers))
    own, other = first.powers[:n_frames], second.powers[:n_frames]
    return PairFacts(
        first=first.facts.name,
        second=second.facts.name,
        correlation=float(correlation[len(correlation) // 2]),
        best_lag_ms=1_000 * (best - len(correlation) // 2) / CORRELATION_HZ,
        best_correlation=float(correlation[best]),
        opposite=float(-sign * (-sign * correlation).max()),
        covered=_known(covered_shares(own, other)),
        covers=_known(covered_shares(other, own)),
    )


def _known(shares: F64) -> tuple[float | None, ...]:

    return tuple(None if np.isnan(share) else float(share) for share in shares)
