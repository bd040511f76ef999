"""
Timbre: spectral centroid, bandwidth, rolloff and flatness, and mel-frequency cepstral coefficients (MFCC).

All values are unweighted means over the frames that are not silent. Conventions: centroid, bandwidth and rolloff (at
85 %) are computed from the magnitude spectrum, flatness from the power spectrum; MFCC are the orthonormal DCT-II of 40
mel bands in dB, clipped at 80 dB below their maximum.

Source: Peeters, A Large Set of Audio Features for Sound Description (CUIDADO, 2004).
"""

import numpy as np
from scipy.fft import dct

from recsys.arrays import F32
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import N_SHORT, Spectrum
from recsys.lake.measured import Timbre

N_MFCC = 20
ROLLOFF = 0.85
RANGE_DB = 80.0
EPSILON = 1e-10
SILENT_POWER_SHARE = 1e-6  # a frame is silent below this share of the loudest frame's power


def timbre(spectrum: Spectrum) -> Timbre:
    """Measure the timbre of a recording that is not silent."""
    total = spectrum.short.sum(axis=1)
    is_audible = total > SILENT_POWER_SHARE * total.max()
    power, mel = spectrum.short[is_audible], spectrum.mel[is_audible]
    magnitude = np.sqrt(power)
    share = magnitude / magnitude.sum(axis=1, keepdims=True)  # (n_frames, 513)
    hz = np.arange(share.shape[1], dtype=np.float32) * np.float32(RATE_HZ / N_SHORT)
    centroid = share @ hz
    bandwidth = np.sqrt(np.maximum(share @ hz**2 - centroid**2, 0))
    rolloff = hz[(share.cumsum(axis=1) < ROLLOFF).sum(axis=1).clip(max=len(hz) - 1)]
    floored = np.maximum(power, EPSILON)
    flatness = np.exp(np.log(floored).mean(axis=1)) / floored.mean(axis=1)
    cepstrum = mfcc(mel)
    return Timbre(
        spectral_centroid_hz=float(centroid.mean()),
        spectral_bandwidth_hz=float(bandwidth.mean()),
        spectral_rolloff_hz=float(rolloff.mean()),
        spectral_flatness=float(flatness.mean().clip(0, 1)),
        mfcc_mean=tuple(cepstrum.mean(axis=0).tolist()),
        mfcc_std=tuple(cepstrum.std(axis=0).tolist()),
    )


def mfcc(mel: F32) -> F32:
    """Return the MFCC of mel powers, shape (n_frames, 40) -> (n_frames, 20), float32."""
    decibels = 10 * np.log10(np.maximum(mel, EPSILON))
    bounded = np.maximum(decibels, decibels.max() - RANGE_DB)
    cepstrum: F32 = dct(bounded, type=2, norm="ortho", axis=1)[:, :N_MFCC].astype(np.float32)
    return cepstrum
