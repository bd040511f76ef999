"""
Tempo, beat strength, onset rate, beats and bars.

Onset curves (rises of log power in mel bands) -> tempograms (periodicity at each tempo from 30 to 300 beats per minute
on a logarithmic scale, by autocorrelation and by Fourier transform) -> a trained scorer, which sees each tempo together
with its multiples and fractions, so that it can tell a tempo from its double and its half -> the most likely tempo.
Beats and bars are found separately (`beats`), and are unknown where the network is not sure.

Sources: Boeck, Widmer, Maximum Filter Vibrato Suppression for Onset Detection (DAFx 2013) for the curves; Grosche,
Mueller, Extracting Predominant Local Pulse Information from Music Recordings (TASLP 2011) for tempograms.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from recsys.arrays import F32
from recsys.audio.features.beats import TRAINED_METRES, find_beats, inputs, load_network, onset_bands
from recsys.audio.features.learned_scorers import load_scorer
from recsys.audio.features.tonality import Pitches
from recsys.audio.spectrum import FRAMES_PER_SECOND, N_BANDS, Spectrum
from recsys.lake.measured import Rhythm

LOG_GAIN = 1e4  # of log(1 + gain x), so that quiet onsets count too
LAG = 2  # frames over which a rise of power is measured
BANDS = ((0, 6), (6, 14), (14, 26), (26, N_BANDS), (0, N_BANDS))  # of mel bands: low to high, then all
WINDOW_S = 12.0
N_WINDOW = int(WINDOW_S * FRAMES_PER_SECOND)
SLOWEST_BPM, N_TEMPI, TEMPI_PER_OCTAVE = 30.0, 200, 60
TEMPI_BPM = SLOWEST_BPM * 2 ** (np.arange(N_TEMPI) / TEMPI_PER_OCTAVE)  # 30 to 299
RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
SHIFTS = tuple(round(TEMPI_PER_OCTAVE * float(np.log2(ratio))) for ratio in RATIOS)
MIN_DURATION_S = 3.0  # for a tempo
# With fewer beats or below these confidences, beats or bars are not stated; see `docs/sound.md`.
FEWEST_BEATS, LEAST_BEAT_CONFIDENCE, LEAST_BAR_CONFIDENCE = 8, 0.5, 0.48
NEIGHBOUR_BINS = round(TEMPI_PER_OCTAVE * float(np.log2(1.04)))  # bins within 4 %


def rhythm(spectrum: Spectrum, pitches: Pitches | None) -> Rhythm:
    """Measure tempo, onsets, beats and bars of a recording that is not silent; changes of harmony help to find bars."""
    curves = onset_curves(spectrum)
    rate_hz = onset_rate_hz(curves[-1])
    if curves.shape[1] < MIN_DURATION_S * FRAMES_PER_SECOND or not curves[-1].any():
        return Rhythm(onset_rate_hz=rate_hz)
    return replace(_tempo(curves), onset_rate_hz=rate_hz, **_beats(spectrum, pitches))


def _tempo(curves: F32) -> Rhythm:
    by_lag, by_frequency = tempograms(curves)
    probabilities = load_scorer().probabilities(candidates(by_lag, by_frequency))
    best = int(probabilities.argmax())
    near = slice(max(0, best - NEIGHBOUR_BINS), best + NEIGHBOUR_BINS + 1)
    confidence = float(probabilities[near].sum())
    octaves = float(np.log2(TEMPI_BPM[near]) @ probabilities[near]) / confidence
    return Rhythm(2**octaves, min(confidence, 1.0), float(by_lag[-1, best].clip(0, 1)))


def _beats(spectrum: Spectrum, pitches: Pitches | None) -> dict[str, Any]:
    """Return the attributes of beats that are heard clearly enough, and of bars where they are."""
    if pitches is None:
        return {}
    activations = load_network().activations(inputs(onset_bands(spectrum.mel), pitches.harmonies))
    beats = find_beats(activations, pitches.chords.starts_s[1:])
    if beats is None or len(beats.times_s) < FEWEST_BEATS or beats.confidence < LEAST_BEAT_CONFIDENCE:
        return {}
    found: dict[str, Any] = {
        "beat_confidence": beats.confidence,
        "tempo_variation": beats.tempo_variation,
        "beats_s": tuple(beats.times_s.tolist()),
    }
    if beats.bar_confidence < LEAST_BAR_CONFIDENCE or beats.beats_per_bar not in TRAINED_METRES:
        return found
    return found | {"beats_per_bar": beats.beats_per_bar, "downbeats_s": tuple(beats.downbeats_s.tolist())}


def onset_curves(spectrum: Spectrum) -> F32:
    """Return the rise of log power per band, minus its local mean, shape (5, n_frames), float32, at least 0."""
    level = np.log1p(LOG_GAIN * spectrum.mel)  # (n_frames, 40)
    before = maximum_filter1d(level, 3, axis=1)  # vibrato and glides between bands are not onsets
    rise = np.maximum(level[LAG:] - before[:-LAG], 0)
    curves = np.stack([rise[:, low:high].mean(axis=1) for low, high in BANDS])
    local_mean = uniform_filter1d(curves, int(FRAMES_PER_SECOND), axis=1)
    above_mean: F32 = np.maximum(curves - local_mean, 0).astype(np.float32)
    return above_mean


def onset_rate_hz(curve: F32) -> float:
    """Return onsets per second: local maxima (+-50 ms) above a third of the curve's 90th percentile."""
    if not curve.any():
        return 0.0
    is_peak = (curve == maximum_filter1d(curve, 11)) & (curve > np.percentile(curve[curve > 0], 90) / 3)
    return float(is_peak.sum() / (len(curve) / FRAMES_PER_SECOND))


def tempograms(curves: F32) -> tuple[F32, F32]:
    """
    Return the periodicity of curves at each tempo, by autocorrelation and by Fourier transform, (n_curves, 200) each.

    Both are means over windows of 12 s, every 6 s, so that the tempo may drift. The autocorrelation is divided by its
    value at lag 0, the Fourier magnitude by its maximum.
    """
    windows = _windows(curves)  # (n_curves, n_windows, n)
    n_fft = 2 * windows.shape[2]
    power = np.square(np.abs(np.fft.rfft(windows, n_fft))).mean(axis=1)  # (n_curves, n_fft / 2 + 1)
    correlation = np.fft.irfft(power, n_fft)[:, : windows.shape[2]]
    unbiased = correlation * (windows.shape[2] / np.arange(windows.shape[2], 0, -1))
    lags = 60 * FRAMES_PER_SECOND / TEMPI_BPM
    by_lag = np.stack([np.interp(lags, np.arange(len(row)), row) / max(row[0], 1e-9) for row in unbiased])
    tapered = windows * np.hanning(windows.shape[2])
    smooth = np.sqrt(np.square(np.abs(np.fft.rfft(tapered, 4 * n_fft))).mean(axis=1))
    bins = TEMPI_BPM / 60 * 4 * n_fft / FRAMES_PER_SECOND
    by_frequency = np.stack([np.interp(bins, np.arange(len(row)), row) for row in smooth])
    largest = np.maximum(by_frequency.max(axis=1, keepdims=True), 1e-9)
    return by_lag.astype(np.float32), (by_frequency / largest).astype(np.float32)


def _windows(curves: F32) -> F32:
    n = min(N_WINDOW, curves.shape[1])
    starts = range(0, curves.shape[1] - n + 1, max(1, n // 2))
    windows = np.stack([curves[:, start : start + n] for start in starts], axis=1)
    centred: F32 = windows - windows.mean(axis=2, keepdims=True)
    return centred


def candidates(by_lag: F32, by_frequency: F32) -> F32:
    """
    Return the scorer's inputs for each tempo: both tempograms at its multiples and fractions, and the tempo itself.

    Shape (200, 2 * n_curves * 11 + 2), float32; 0 beyond the slowest and fastest tempo.
    """
    both = np.concatenate([by_lag, by_frequency])  # (2 * n_curves, 200)
    widest = max(map(abs, SHIFTS))
    padded = np.pad(both, ((0, 0), (widest, widest)))
    by_ratio = [padded[:, widest + shift : widest + shift + N_TEMPI] for shift in SHIFTS]
    octaves = (np.log2(TEMPI_BPM) - np.log2(110)).astype(np.float32)
    return np.concatenate([*by_ratio, octaves[None], octaves[None] ** 2]).T.astype(np.float32)
