"""
Tuning, chroma, key and chords.

Spectral peaks -> deviation from A = 440 Hz -> strength of each semitone in each frame -> trained networks (`harmony`),
which hear the key and the chords. Dorian and phrygian count as minor, mixolydian and lydian as major.

Key and chords are unknown where the peaks do not fit the semitones of any tuning (noise, speech, drums, other scales),
and where the networks are not sure.

Source: Gomez, Tonal Description of Polyphonic Audio for Music Content Processing (INFORMS J. Computing, 2006).
"""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from recsys.arrays import F32, F64, I64
from recsys.audio.features.chords import PITCHES, Chords, find_chords
from recsys.audio.features.chromagram import chromagram_text
from recsys.audio.features.harmony import (
    HARMONIC_DECAY,
    HARMONICS,
    LOWEST_MIDI,
    N_SEMITONES,
    HarmonyEstimate,
    load_networks,
    profiles,
)
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import N_LONG, Spectrum
from recsys.lake.measured import Tonality

MODES = ("major", "minor")
LOWEST_HZ, HIGHEST_HZ = 55.0, 2_000.0
FLOOR = 0.01  # peaks below this share of the loudest bin of their frame are ignored
MIDI_A, A_HZ = 69, 440.0
CHROMA, BASS_CHROMA = 3, 4  # of the networks' inputs
# Below these, key or chords are not stated; see `docs/sound.md`.
LEAST_CONCENTRATION, LEAST_KEY_CONFIDENCE, LEAST_CHORD_CONFIDENCE = 0.1, 0.3, 0.5


@dataclass(frozen=True, eq=False)
class Peaks:
    """
    Spectral peaks of long frames.

    Attributes:
        frame: Frame of each peak, shape (n_peaks,).
        pitch: MIDI pitch, fractional [semitones], shape (n_peaks,).
        size: Magnitude, shape (n_peaks,).
        n_frames: Number of frames.
    """

    frame: I64
    pitch: F64
    size: F64
    n_frames: int


@dataclass(frozen=True, eq=False)
class Pitches:
    """
    What is heard in the peaks of a recording.

    Attributes:
        cents: Deviation of the tuning from A = 440 Hz, -50..50 [cent].
        concentration: How well the peaks fit semitones of this tuning: 0 (not at all) to 1.
        chroma: Share of each pitch class from C on, shape (12,).
        inputs: Inputs of the networks for key and chords, shape (n_frames, 6, 12).
        heard: Probabilities of keys, and of the chords of each frame.
        chords: Chords in time.
    """

    cents: float
    concentration: float
    chroma: F64
    inputs: F32
    heard: HarmonyEstimate
    chords: Chords

    @classmethod
    def of(cls, spectrum: Spectrum) -> Self | None:
        """Find the pitches of a recording that is not silent; None if its spectrum has no peak."""
        peaks = find_peaks(spectrum.long)
        if not len(peaks.pitch):
            return None
        cents = tuning_cents(peaks)
        inputs = profiles(salience(peaks, cents), np.square(spectrum.long).mean(axis=1))
        heard = load_networks().estimate(inputs)
        chords = find_chords(heard.chords, spectrum.duration_s)
        return cls(cents, concentration(peaks), chroma(peaks, cents), inputs, heard, chords)

    @property
    def harmonies(self) -> tuple[F32, ...]:
        """What changes at the beginning of bars, of each frame (see `harmonies`)."""
        return harmonies(self.inputs, self.heard)


def harmonies(inputs: F32, heard: HarmonyEstimate) -> tuple[F32, ...]:
    """Return what changes at the beginning of bars: the chroma of each frame, that of its bass, and its chords."""
    return inputs[:, CHROMA], inputs[:, BASS_CHROMA], heard.chords.astype(np.float32)


def tonality(pitches: Pitches | None) -> Tonality:
    """Return tuning and chroma; of a tuned recording the chromagram, and key and chords if heard clearly enough."""
    if pitches is None:
        return Tonality()
    measured = Tonality(tuning_cents=pitches.cents, chroma=tuple(pitches.chroma.tolist()))
    if pitches.concentration < LEAST_CONCENTRATION:
        return measured
    chromagram = chromagram_text(pitches.inputs)
    return replace(measured, chromagram=chromagram, **_key(pitches.heard.keys), **_attributes(pitches.chords))


def _key(probabilities: F64) -> dict[str, Any]:
    tonic, mode = divmod(int(probabilities.argmax()), len(MODES))
    confidence = float(probabilities.max())
    if confidence < LEAST_KEY_CONFIDENCE:
        return {}
    return {"key": PITCHES[tonic], "mode": MODES[mode], "key_confidence": confidence}


def _attributes(chords: Chords) -> dict[str, Any]:
    if chords.confidence < LEAST_CHORD_CONFIDENCE:
        return {}
    return {
        "main_chords": chords.most_frequent,
        "chord_changes_per_min": chords.changes_per_min,
        "chord_confidence": chords.confidence,
        "chord_starts_s": tuple(chords.starts_s.tolist()),
        "chord_ends_s": tuple(chords.ends_s.tolist()),
        "chords": chords.names,
    }


def find_peaks(magnitudes: F32) -> Peaks:
    """Find spectral peaks from 55 Hz to 2 kHz in frames, shape (n_frames, 4097); their pitch is interpolated."""
    low, high = (round(hz * N_LONG / RATE_HZ) for hz in (LOWEST_HZ, HIGHEST_HZ))
    before, here, after = (magnitudes[:, low + step : high + step] for step in (-1, 0, 1))
    loudest = np.maximum(here.max(axis=1, keepdims=True), 1e-9)
    frame, bin_ = np.nonzero((here > before) & (here >= after) & (here > FLOOR * loudest))
    left, middle, right = (np.log(side[frame, bin_] + 1e-12) for side in (before, here, after))
    offset = 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-12)
    hz = (low + bin_ + np.clip(offset, -0.5, 0.5)) * RATE_HZ / N_LONG
    return Peaks(frame, MIDI_A + 12 * np.log2(hz / A_HZ), here[frame, bin_].astype(np.float64), len(magnitudes))


def tuning_cents(peaks: Peaks) -> float:
    """Return the circular mean of the deviations of peaks from equal temperament, -50..50 [cent]."""
    phasors = np.exp(2j * np.pi * peaks.pitch)
    return float(np.angle((peaks.size * phasors).sum()) * 100 / (2 * np.pi))


def concentration(peaks: Peaks) -> float:
    """Return the length of the mean phasor of the deviations from semitones: 0 if they are random, 1 if all agree."""
    phasors = np.exp(2j * np.pi * peaks.pitch)
    return float(np.abs((peaks.size * phasors).sum()) / peaks.size.sum())


def salience(peaks: Peaks, cents: float) -> F32:
    """
    Return the strength of each semitone from A1 on, shape (n_frames, 63): the roots of the magnitudes of its peaks.

    A peak counts less the further it lies from its semitone, and not at all between two semitones.
    """
    pitch = peaks.pitch - cents / 100
    nearest = np.round(pitch)
    weight = np.sqrt(peaks.size) * np.cos(np.pi * (pitch - nearest)) ** 2
    row = nearest.astype(np.int64) - LOWEST_MIDI
    is_inside = (row >= 0) & (row < N_SEMITONES)
    cells = peaks.frame[is_inside] * N_SEMITONES + row[is_inside]
    by_cell = np.bincount(cells, weight[is_inside], peaks.n_frames * N_SEMITONES)
    return by_cell.reshape(-1, N_SEMITONES).astype(np.float32)


def chroma(peaks: Peaks, cents: float) -> F64:
    """
    Return the share of each pitch class from C on, shape (12,).

    Each peak counts for the pitch classes whose harmonic it may be, and all frames have the same weight.
    """
    by_frame = np.zeros(peaks.n_frames * 12)
    for number, harmonic in enumerate(HARMONICS):
        pitch = peaks.pitch - cents / 100 - 12 * np.log2(harmonic)
        nearest = np.round(pitch)
        weight = np.sqrt(peaks.size) * HARMONIC_DECAY**number * np.cos(np.pi * (pitch - nearest)) ** 2
        by_frame += np.bincount(peaks.frame * 12 + nearest.astype(np.int64) % 12, weight, len(by_frame))
    rows = by_frame.reshape(-1, 12)
    mean = (rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-12)).mean(axis=0)
    return np.asarray(mean / mean.sum())
