"""
Tuning, chroma and key.

Spectral peaks -> deviation from A = 440 Hz -> pitch classes, where each peak also counts as a harmonic of lower notes
-> pitch class profiles of the whole recording, its bass, its beginning and its end -> a trained scorer, which scores
the 24 keys: its inputs are the profiles rotated to each tonic, as major and as minor. Dorian counts as minor,
mixolydian as major.

Source: Gomez, Tonal Description of Polyphonic Audio for Music Content Processing (INFORMS J. Computing, 2006).
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import F32, F64, I64
from recsys.audio.features.learned_scorers import load_scorer
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import N_LONG, Spectrum
from recsys.lake.measured import Tonality

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
LOWEST_HZ, BASS_HZ, HIGHEST_HZ = 55.0, 260.0, 2_000.0
FLOOR = 0.01  # peaks below this share of the loudest bin of their frame are ignored
HARMONICS = (1, 2, 3, 4, 5)
DECAY = 0.6  # factor of a peak's weight per harmonic
N_ENDS = 10  # frames of the beginning and of the end: 2.6 s each
MIDI_A, A_HZ = 69, 440.0


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


def tonality(spectrum: Spectrum) -> Tonality:
    """Estimate key, tuning and chroma of a recording that is not silent."""
    peaks = find_peaks(spectrum.long)
    if not len(peaks.pitch):
        return Tonality(None, None, None, None, None)
    cents = tuning_cents(peaks)
    rows = profiles(peaks, cents)
    probabilities = load_scorer("key").probabilities(candidates(rows))
    tonic, mode = divmod(int(probabilities.argmax()), len(MODES))
    whole = rows[0] / rows[0].sum()
    return Tonality(PITCHES[tonic], MODES[mode], float(probabilities.max()), cents, tuple(whole.tolist()))


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


def profiles(peaks: Peaks, cents: float) -> F64:
    """
    Return pitch class profiles of the whole, the bass, the beginning, the end, and the bass of the end.

    All frames have the same weight. Shape (5, 12), float64; each profile has length 1, or is 0.
    """
    by_frame = _chromagram(peaks, cents, peaks.size**0.5)
    is_bass = peaks.pitch < MIDI_A + 12 * np.log2(BASS_HZ / A_HZ)
    bass = _chromagram(peaks, cents, peaks.size**0.5 * is_bass)
    n_ends = min(N_ENDS, peaks.n_frames)
    audible = np.flatnonzero(by_frame.any(axis=1))
    last = audible[-n_ends:]
    rows = np.stack(
        [
            by_frame.mean(axis=0),
            bass.mean(axis=0),
            by_frame[audible[:n_ends]].mean(axis=0),
            by_frame[last].mean(axis=0),
            bass[last].mean(axis=0),
        ]
    )
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))


def _chromagram(peaks: Peaks, cents: float, size: F64) -> F64:
    """Add each peak to the pitch classes whose harmonic it may be; return (n_frames, 12), rows with sum 1 or 0."""
    chroma = np.zeros(peaks.n_frames * 12)
    for number, harmonic in enumerate(HARMONICS):
        pitch = peaks.pitch - cents / 100 - 12 * np.log2(harmonic)
        nearest = np.round(pitch)
        weight = size * DECAY**number * np.cos(np.pi * (pitch - nearest)) ** 2
        chroma += np.bincount(peaks.frame * 12 + nearest.astype(np.int64) % 12, weight, len(chroma))
    by_frame = chroma.reshape(-1, 12)
    return np.asarray(by_frame / np.maximum(by_frame.sum(axis=1, keepdims=True), 1e-12))


def candidates(rows: F64) -> F32:
    """Return the scorer's inputs for each key: the profiles rotated to its tonic, by mode, shape (24, 2 * 60)."""
    rotated = np.stack([np.roll(rows, -tonic, axis=1).ravel() for tonic in range(12)])  # (12, 60)
    zeros = np.zeros_like(rotated)
    as_modes = np.stack([np.hstack([rotated, zeros]), np.hstack([zeros, rotated])], axis=1)  # (12, 2, 120)
    return as_modes.reshape(24, -1).astype(np.float32)
