"""
Everything that is measured in one recording, one attribute a column.

Energy and danceability are definitions of ours, not findings: closed formulas of what was measured, so that a list can
be sorted by them and anybody can say why.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recsys.arrays import F32
from recsys.audio.features.loudness import Loudness, loudness, stereo_width
from recsys.audio.features.rhythm import Rhythm, rhythm
from recsys.audio.features.timbre import Timbre, timbre
from recsys.audio.features.tonality import Tonality, tonality
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import Signal
from recsys.audio.spectrum import Spectrum

QUIET_LUFS, LOUD_LUFS = -40.0, -8.0  # where energy's loudness begins and ends
MANY_ONSETS_HZ = 8.0
BRIGHT_HZ = 2_500.0
DANCE_BPM, DANCE_OCTAVES = 120.0, 0.4  # the tempo that most dance to, and how far off it half the charm is gone


@dataclass(frozen=True)
class Features:
    """
    What one recording measures; None is what cannot be known (silence, or too short).

    Units are in the names; see `Loudness`, `Rhythm`, `Tonality` and `Timbre` for ranges and sources.
    """

    loudness_lufs: float | None = None
    loudness_range_lu: float | None = None
    true_peak_dbtp: float | None = None
    stereo_width: float | None = None
    silence_share: float | None = None
    tempo_bpm: float | None = None
    tempo_confidence: float | None = None
    beat_strength: float | None = None
    onset_rate_hz: float | None = None
    key: str | None = None
    mode: str | None = None
    key_confidence: float | None = None
    tuning_cents: float | None = None
    spectral_centroid_hz: float | None = None
    spectral_bandwidth_hz: float | None = None
    spectral_rolloff_hz: float | None = None
    spectral_flatness: float | None = None
    mfcc_mean: tuple[float, ...] | None = None
    mfcc_std: tuple[float, ...] | None = None
    chroma: tuple[float, ...] | None = None
    energy: float | None = None
    danceability: float | None = None


def features(signal: Signal, mono: F32 | None = None) -> Features:
    """
    Measure a recording.

    Args:
        signal: Decoded, at its own rate and channels.
        mono: The same at 16 kHz, where it is at hand already.
    """
    level = loudness(signal)
    outside = asdict(level) | {"stereo_width": stereo_width(signal)}
    spectrum = Spectrum.of(signal.mono(RATE_HZ) if mono is None else mono)
    if spectrum is None:
        return Features(**outside)
    moves, sounds, pitches = rhythm(spectrum), timbre(spectrum), tonality(spectrum)
    return Features(
        **outside,
        **_columns(moves, sounds, pitches),
        energy=energy(level, moves, sounds),
        danceability=danceability(moves),
    )


def _columns(*parts: Rhythm | Timbre | Tonality) -> dict[str, Any]:
    return {name: value for part in parts for name, value in asdict(part).items()}


def energy(level: Loudness, moves: Rhythm, sounds: Timbre) -> float | None:
    """
    Return how forceful a recording sounds, 0..1: the mean of three parts, each 0..1.

    Loudness from -40 to -8 LUFS; onsets a second, up to 8; spectral centroid, up to 2.5 kHz. None for silence.
    """
    if level.loudness_lufs is None:
        return None
    parts = (
        (level.loudness_lufs - QUIET_LUFS) / (LOUD_LUFS - QUIET_LUFS),
        moves.onset_rate_hz / MANY_ONSETS_HZ,
        sounds.spectral_centroid_hz / BRIGHT_HZ,
    )
    return float(np.clip(parts, 0, 1).mean())


def danceability(moves: Rhythm) -> float | None:
    """
    Return how fit for dancing a recording is, 0..1: the geometric mean of a clear beat and a tempo near 120.

    The tempo counts as exp(-(octaves from 120 / 0.4)^2 ln 2): half at 91 and 158. None without a tempo.
    """
    if moves.tempo_bpm is None or moves.beat_strength is None:
        return None
    octaves = np.log2(moves.tempo_bpm / DANCE_BPM)
    return float(np.sqrt(moves.beat_strength * 2 ** -((octaves / DANCE_OCTAVES) ** 2)))
