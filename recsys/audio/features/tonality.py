"""
Tuning, chroma and key: which pitches a sound is made of.

Peaks of the long spectrum -> how far they lie from A = 440 Hz -> pitch classes, each peak counting as harmonic of the
notes below it too -> profiles of the whole, its bass, its beginning and its end -> a small learned scorer that is shown
the profiles from each of the twelve tonics, once as major and once as minor. Dorian counts as minor, mixolydian as
major.

Source: Gomez, Tonal Description of Polyphonic Audio for Music Content Processing (INFORMS J. Computing, 2006).
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import F32, F64, I64
from recsys.audio.features.learned_scorers import weights
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import N_LONG, Spectrum
from recsys.lake.measured import Tonality

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MODES = ("major", "minor")
LOWEST_HZ, BASS_HZ, HIGHEST_HZ = 55.0, 260.0, 2_000.0
BASELINE = 0.01  # of the loudest peak of a frame: quieter peaks are left out
HARMONICS = (1, 2, 3, 4, 5)
DECAY = 0.6  # of a peak's weight with each harmonic that it may be
N_ENDS = 10  # frames that begin and end a piece: 2.6 s
MIDI_A, A_HZ = 69, 440.0


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of long frames: frame row, pitch [semitones, MIDI], magnitude. Shape (n_peaks,) each."""

    frame: I64
    pitch: F64
    size: F64
    n_frames: int


def tonality(spectrum: Spectrum) -> Tonality:
    """Find the key of a sound that is not silent."""
    found = peaks(spectrum.long)
    if not len(found.pitch):
        return Tonality(None, None, None, None, None)
    cents = tuning_cents(found)
    shown = profiles(found, cents)
    chances = weights("key").chances(candidates(shown))
    tonic, mode = divmod(int(chances.argmax()), len(MODES))
    whole = shown[0] / shown[0].sum()
    return Tonality(PITCHES[tonic], MODES[mode], float(chances.max()), cents, tuple(whole.tolist()))


def peaks(magnitudes: F32) -> Peaks:
    """Find the peaks from 55 Hz to 2 kHz of frames, shape (n_frames, 4097), their pitch refined by a parabola."""
    low, high = (round(hz * N_LONG / RATE_HZ) for hz in (LOWEST_HZ, HIGHEST_HZ))
    before, here, after = (magnitudes[:, low + at : high + at] for at in (-1, 0, 1))
    loudest = np.maximum(here.max(axis=1, keepdims=True), 1e-9)
    frame, place = np.nonzero((here > before) & (here >= after) & (here > BASELINE * loudest))
    left, middle, right = (np.log(side[frame, place] + 1e-12) for side in (before, here, after))
    offset = 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-12)
    hz = (low + place + np.clip(offset, -0.5, 0.5)) * RATE_HZ / N_LONG
    return Peaks(frame, MIDI_A + 12 * np.log2(hz / A_HZ), here[frame, place].astype(np.float64), len(magnitudes))


def tuning_cents(found: Peaks) -> float:
    """Return the mean distance of peaks from equal temperament, on the circle of a semitone [cent]."""
    turns = np.exp(2j * np.pi * found.pitch)
    return float(np.angle((found.size * turns).sum()) * 100 / (2 * np.pi))


def profiles(found: Peaks, cents: float) -> F64:
    """
    Return how strong each pitch class is: in the whole, the bass, at the beginning, at the end and in its last bass.

    Every frame counts alike. Shape (5, 12), float64; each profile has length 1, or is 0.
    """
    by_frame = _chromagram(found, cents, found.size**0.5)
    is_bass = found.pitch < MIDI_A + 12 * np.log2(BASS_HZ / A_HZ)
    bass = _chromagram(found, cents, found.size**0.5 * is_bass)
    n_ends = min(N_ENDS, found.n_frames)
    heard = np.flatnonzero(by_frame.any(axis=1))
    last = heard[-n_ends:]
    rows = np.stack(
        [
            by_frame.mean(axis=0),
            bass.mean(axis=0),
            by_frame[heard[:n_ends]].mean(axis=0),
            by_frame[last].mean(axis=0),
            bass[last].mean(axis=0),
        ]
    )
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))


def _chromagram(found: Peaks, cents: float, size: F64) -> F64:
    """Give each peak to the pitch classes that it may be a harmonic of, by nearness; frames have sum 1, or are 0."""
    chroma = np.zeros(found.n_frames * 12)
    for number, harmonic in enumerate(HARMONICS):
        pitch = found.pitch - cents / 100 - 12 * np.log2(harmonic)
        nearest = np.round(pitch)
        weight = size * DECAY**number * np.cos(np.pi * (pitch - nearest)) ** 2
        chroma += np.bincount(found.frame * 12 + nearest.astype(np.int64) % 12, weight, len(chroma))
    by_frame = chroma.reshape(-1, 12)
    return np.asarray(by_frame / np.maximum(by_frame.sum(axis=1, keepdims=True), 1e-12))


def candidates(shown: F64) -> F32:
    """Return the profiles as each key would have them: seen from its tonic, as major or minor, (24, 2 * 60)."""
    seen = np.stack([np.roll(shown, -tonic, axis=1).ravel() for tonic in range(12)])  # (12, 60)
    nothing = np.zeros_like(seen)
    as_modes = np.stack([np.hstack([seen, nothing]), np.hstack([nothing, seen])], axis=1)  # (12, 2, 120)
    return as_modes.reshape(24, -1).astype(np.float32)
