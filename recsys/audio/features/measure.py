"""
Measure all attributes of a recording that are declared in `recsys/lake/measured.py`.

Energy and danceability are not learned from listeners: they are fixed formulas of other attributes, so that everybody
can see why a list is sorted as it is.
"""

import numpy as np

from recsys.arrays import F32
from recsys.audio.features.delivery import delivery
from recsys.audio.features.loudness import loudness
from recsys.audio.features.rhythm import rhythm
from recsys.audio.features.timbre import timbre
from recsys.audio.features.tonality import Pitches, tonality
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import Signal
from recsys.audio.spectrum import Spectrum
from recsys.lake.measured import Character, Features, Loudness, Rhythm, Timbre

FORMAT = 2  # raise it whenever a change of the code gives other values: scanned files are then analysed again
QUIET_LUFS, LOUD_LUFS = -40.0, -8.0  # loudness that counts as 0 and as 1 in energy
MANY_ONSETS_HZ = 8.0  # onset rate that counts as 1 in energy
BRIGHT_HZ = 2_500.0  # spectral centroid that counts as 1 in energy
DANCE_BPM, DANCE_OCTAVES = 120.0, 0.4  # best tempo, and the distance from it at which a tempo counts half


def features(signal: Signal, mono: F32 | None = None) -> Features:
    """
    Measure all attributes of a recording.

    Args:
        signal: The decoded recording, with the sampling rate and channels of its file.
        mono: The same recording as 16 kHz mono, if the caller already has it.

    Returns:
        The attributes; for silence and below 0.5 s, only those of `Loudness` and `Delivery` may have a value.
    """
    loudness_, delivery_ = loudness(signal), delivery(signal)
    spectrum = Spectrum.of(signal.mono(RATE_HZ) if mono is None else mono)
    if spectrum is None:
        return Features.of(loudness_, delivery_)
    pitches = Pitches.of(spectrum)
    rhythm_, timbre_ = rhythm(spectrum, pitches), timbre(spectrum)
    character = Character(energy=energy(loudness_, rhythm_, timbre_), danceability=danceability(rhythm_))
    return Features.of(loudness_, delivery_, rhythm_, tonality(pitches), timbre_, character)


def energy(loudness: Loudness, rhythm: Rhythm, timbre: Timbre) -> float | None:
    """
    Return the perceived intensity of a recording, 0..1: the mean of three parts, each clipped to 0..1.

    The parts: loudness, -40 to -8 LUFS; onset rate, 0 to 8 per second; spectral centroid, 0 to 2.5 kHz. None if one of
    them is unknown.
    """
    if loudness.loudness_lufs is None or rhythm.onset_rate_hz is None or timbre.spectral_centroid_hz is None:
        return None
    parts = (
        (loudness.loudness_lufs - QUIET_LUFS) / (LOUD_LUFS - QUIET_LUFS),
        rhythm.onset_rate_hz / MANY_ONSETS_HZ,
        timbre.spectral_centroid_hz / BRIGHT_HZ,
    )
    return float(np.clip(parts, 0, 1).mean())


def danceability(rhythm: Rhythm) -> float | None:
    """
    Return the suitability for dancing, 0..1: the geometric mean of beat strength and closeness to 120 beats per minute.

    Closeness is 2 ** -((octaves from 120 bpm / 0.4) ** 2): 0.5 at 91 and at 158 bpm. None without a tempo.
    """
    if rhythm.tempo_bpm is None or rhythm.beat_strength is None:
        return None
    octaves = np.log2(rhythm.tempo_bpm / DANCE_BPM)
    return float(np.sqrt(rhythm.beat_strength * 2 ** -((octaves / DANCE_OCTAVES) ** 2)))
