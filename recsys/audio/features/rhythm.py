"""
Tempo, beat and onsets: how a sound moves in time.

Onset curves (rises of log power in mel bands) -> tempogram (how periodic they are, at every tempo from 30 to 300 beats
a minute on a logarithmic scale, by autocorrelation and by Fourier transform) -> a small learned scorer that looks at
each tempo's multiples and fractions, in which double and half tempo differ -> the most likely tempo.

Sources: Boeck, Widmer, Maximum Filter Vibrato Suppression for Onset Detection (DAFx 2013) for the curves; Grosche,
Mueller, Extracting Predominant Local Pulse Information from Music Recordings (TASLP 2011) for tempograms.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from recsys.arrays import F32
from recsys.audio.features.learned_scorers import weights
from recsys.audio.spectrum import FRAMES_A_SECOND, N_BANDS, Spectrum
from recsys.lake.measured import Rhythm

LOG_GAIN = 1e4  # log(1 + gain x): quiet onsets count too
LAG = 2  # frames over which power rises
BANDS = ((0, 6), (6, 14), (14, 26), (26, N_BANDS), (0, N_BANDS))  # of mel, low to high, then all
WINDOW_S = 12.0
N_WINDOW = int(WINDOW_S * FRAMES_A_SECOND)
SLOWEST_BPM, N_TEMPI, TEMPI_AN_OCTAVE = 30.0, 200, 60
TEMPI_BPM = SLOWEST_BPM * 2 ** (np.arange(N_TEMPI) / TEMPI_AN_OCTAVE)  # 30 to 299
RATIOS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0)
SHIFTS = tuple(round(TEMPI_AN_OCTAVE * float(np.log2(ratio))) for ratio in RATIOS)
SHORTEST_S = 3.0  # less tells no tempo
NEAR = round(TEMPI_AN_OCTAVE * float(np.log2(1.04)))  # bins within 4 %


def rhythm(spectrum: Spectrum) -> Rhythm:
    """Measure the movement of a sound that is not silent."""
    curves = onset_curves(spectrum)
    rate_hz = onset_rate_hz(curves[-1])
    if curves.shape[1] < SHORTEST_S * FRAMES_A_SECOND or not curves[-1].any():
        return Rhythm(None, None, None, rate_hz)
    by_lag, by_frequency = tempograms(curves)
    chances = weights("tempo").chances(candidates(by_lag, by_frequency))
    best = int(chances.argmax())
    around = slice(max(0, best - NEAR), best + NEAR + 1)
    confidence = float(chances[around].sum())
    octaves = float(np.log2(TEMPI_BPM[around]) @ chances[around]) / confidence
    return Rhythm(2**octaves, min(confidence, 1.0), float(by_lag[-1, best].clip(0, 1)), rate_hz)


def onset_curves(spectrum: Spectrum) -> F32:
    """Return how much power rises in each band, above its local mean, shape (5, n_frames), float32."""
    level = np.log1p(LOG_GAIN * spectrum.mel)  # (n_frames, 40)
    before = maximum_filter1d(level, 3, axis=1)  # what only glides from band to band is no onset
    rise = np.maximum(level[LAG:] - before[:-LAG], 0)
    curves = np.stack([rise[:, low:high].mean(axis=1) for low, high in BANDS])
    local = uniform_filter1d(curves, int(FRAMES_A_SECOND), axis=1)
    above: F32 = np.maximum(curves - local, 0).astype(np.float32)
    return above


def onset_rate_hz(curve: F32) -> float:
    """Return how many peaks a second stand out: largest within 50 ms, and above a third of the curve's high peaks."""
    if not curve.any():
        return 0.0
    is_peak = (curve == maximum_filter1d(curve, 11)) & (curve > np.percentile(curve[curve > 0], 90) / 3)
    return float(is_peak.sum() / (len(curve) / FRAMES_A_SECOND))


def tempograms(curves: F32) -> tuple[F32, F32]:
    """
    Return how periodic curves are at each tempo: by autocorrelation and by Fourier transform, (n_curves, 200) each.

    Windows of 12 s, every 6 s, so that a tempo may drift. The autocorrelation is 1 at no lag; the Fourier magnitudes
    are of the largest.
    """
    windows = _windows(curves)  # (n_curves, n_windows, n)
    n_fft = 2 * windows.shape[2]
    power = np.square(np.abs(np.fft.rfft(windows, n_fft))).mean(axis=1)  # (n_curves, n_fft / 2 + 1)
    correlation = np.fft.irfft(power, n_fft)[:, : windows.shape[2]]
    unbiased = correlation * (windows.shape[2] / np.arange(windows.shape[2], 0, -1))
    lags = 60 * FRAMES_A_SECOND / TEMPI_BPM
    by_lag = np.stack([np.interp(lags, np.arange(len(row)), row) / max(row[0], 1e-9) for row in unbiased])
    tapered = windows * np.hanning(windows.shape[2])
    smooth = np.sqrt(np.square(np.abs(np.fft.rfft(tapered, 4 * n_fft))).mean(axis=1))
    bins = TEMPI_BPM / 60 * 4 * n_fft / FRAMES_A_SECOND
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
    Return what speaks for each tempo: both tempograms at its multiples and fractions, and where it lies.

    Shape (200, 2 * n_curves * 11 + 2), float32; 0 beyond the slowest and fastest tempo.
    """
    both = np.concatenate([by_lag, by_frequency])  # (2 * n_curves, 200)
    widest = max(map(abs, SHIFTS))
    padded = np.pad(both, ((0, 0), (widest, widest)))
    at_ratios = [padded[:, widest + shift : widest + shift + N_TEMPI] for shift in SHIFTS]
    octaves = (np.log2(TEMPI_BPM) - np.log2(110)).astype(np.float32)
    return np.concatenate([*at_ratios, octaves[None], octaves[None] ** 2]).T.astype(np.float32)
