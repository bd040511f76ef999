"""Voices whose pitch is known: harmonics along a pitch curve, with noise where nothing is voiced."""

import numpy as np
import pytest

from recsys.arrays import F32, F64

RATE_HZ = 22_050
A3 = 57


def voice(midi: F64, *, rate_hz: int = RATE_HZ, noise: float = 0.02) -> F32:
    """Sing a pitch per sample (NaN: noise instead) with twelve harmonics; shape (1, n), peak about 0.3."""
    is_voiced = ~np.isnan(midi)
    f0_hz = 440 * 2 ** ((np.where(is_voiced, midi, A3) - 69) / 12)
    phase = 2 * np.pi * np.cumsum(f0_hz) / rate_hz
    wave = sum((np.sin(k * phase + k * k) / k**1.3 for k in range(1, 13)), np.zeros(len(midi)))
    edges = np.convolve(is_voiced, np.ones(200) / 200, "same")
    hiss = np.random.default_rng(3).standard_normal(len(midi)) * noise
    return np.asarray(0.1 * wave * edges * is_voiced + np.where(is_voiced, 0, hiss), np.float32)[None]


@pytest.fixture(scope="session")
def take() -> F32:
    """Two notes of 0.8 s, A3 40 cents sharp and B3 60 cents flat with vibrato, with 0.3 s of noise before each."""
    n_note, n_noise = round(0.8 * RATE_HZ), round(0.3 * RATE_HZ)
    vibrato = 0.3 * np.sin(2 * np.pi * 5.5 * np.arange(n_note) / RATE_HZ)
    gap = np.full(n_noise, np.nan)
    return voice(np.concatenate([gap, np.full(n_note, A3 + 0.4), gap, A3 + 2 - 0.6 + vibrato, gap]))
