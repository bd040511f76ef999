"""
Everything that is measured in one recording (`recsys/lake/measured.py` declares it, each attribute once).

Energy and danceability are definitions of ours, not findings: closed formulas of what was measured, so that a list can
be sorted by them and anybody can say why.
"""

import numpy as np

from recsys.arrays import F32
from recsys.audio.features.loudness import loudness
from recsys.audio.features.rhythm import rhythm
from recsys.audio.features.timbre import timbre
from recsys.audio.features.tonality import tonality
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import Signal
from recsys.audio.spectrum import Spectrum
from recsys.lake.measured import Character, Features, Loudness, Rhythm, Timbre

FORMAT = 1  # raise it whenever the same file would get other values: scanned files are then analysed again
QUIET_LUFS, LOUD_LUFS = -40.0, -8.0  # where energy's loudness begins and ends
MANY_ONSETS_HZ = 8.0
BRIGHT_HZ = 2_500.0
DANCE_BPM, DANCE_OCTAVES = 120.0, 0.4  # the tempo that most dance to, and how far off it half the charm is gone


def features(signal: Signal, mono: F32 | None = None) -> Features:
    """
    Measure a recording.

    Args:
        signal: Decoded, at its own rate and channels.
        mono: The same at 16 kHz, where it is at hand already.
    """
    level = loudness(signal)
    spectrum = Spectrum.of(signal.mono(RATE_HZ) if mono is None else mono)
    if spectrum is None:
        return Features.of(level)
    moves, pitches, sounds = rhythm(spectrum), tonality(spectrum), timbre(spectrum)
    character = Character(energy=energy(level, moves, sounds), danceability=danceability(moves))
    return Features.of(level, moves, pitches, sounds, character)


def energy(level: Loudness, moves: Rhythm, sounds: Timbre) -> float | None:
    """
    Return how forceful a recording sounds, 0..1: the mean of three parts, each 0..1.

    Loudness from -40 to -8 LUFS; onsets a second, up to 8; spectral centroid, up to 2.5 kHz. None for silence.
    """
    if level.loudness_lufs is None or moves.onset_rate_hz is None or sounds.spectral_centroid_hz is None:
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
