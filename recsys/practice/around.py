"""
What sounds around a moment: pitch over time, cut out about a written or heard note, for the networks to look at.

Rows are half semitones about the note's pitch, columns are 15 ms about its time, and channels are: how strongly each
pitch sounds, by a long and a short window; the tracked pitch; what is written; how suddenly the spectrum grows; where
written notes begin; and the written note itself.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from recsys.arrays import F32, F64, I64
from recsys.audio.pitch import FRAME_S, RATE_HZ, PitchTrack
from recsys.matching.tunes.melody import Melody
from recsys.practice.heard import HOP, STEP_S, HeardNote

SEMITONES = np.arange(-7, 7.25, 0.5)  # of the rows
TIMES_S = np.linspace(-0.45, 0.585, 70)  # of the columns
SHAPE = (7, len(SEMITONES), len(TIMES_S))
OWN_ROWS = slice(len(SEMITONES) // 2 - 1, len(SEMITONES) // 2 + 2)
WINDOWS = 2048, 1024  # 128 and 64 ms
COMPRESSION = 100.0  # of magnitudes relative to the largest, before their logarithm
N_HARMONICS = 6
TRACK_SD = 0.3  # width of the tracked pitch on the map [semitones]
MARGIN = 8  # semitones that the map goes beyond what is written and heard
LAST_S = 0.5  # length of the last written note on the map
BLOCK = 2048


@dataclass(frozen=True, eq=False)
class Around:
    """
    A take as maps.

    Attributes:
        maps: Strength by a long and a short window, tracked pitch, written notes; by step of 8 ms and half semitone
            from `lowest` on, in the key of the score. Shape (4, n_steps, n_pitches).
        growth: `heard.novelty` of the take. Shape (n_steps,).
        begins: Where written notes begin, 0 or 1. Shape (n_steps,).
        lowest: Pitch of the first row [semitones].
        due_s, until_s: When written notes begin and end by the tempo curve [s]. Shape (n_notes,).
    """

    maps: F32
    growth: F32
    begins: F32
    lowest: float
    due_s: F64
    until_s: F64

    @classmethod
    def of(
        cls,
        mono: F32,
        track: PitchTrack,
        growth: F64,
        *,
        melody: Melody,
        heard: list[HeardNote],
        due_s: F64,
        shift: float,
    ) -> Self:
        """
        Make the maps of a take.

        Args:
            mono: The take at 16 kHz, shape (n_samples,).
            track: Its pitch.
            growth: Its `novelty`.
            melody: What is written.
            heard: What is heard.
            due_s: When each written note is due [s]. Shape (n_notes,).
            shift: What is heard minus what is written [semitones].
        """
        pitches = np.array([*melody.pitch, *(note.midi - shift for note in heard)])
        lowest = float(np.floor(pitches.min())) - MARGIN
        rows = np.arange(lowest, np.ceil(pitches.max()) + MARGIN + 0.25, 0.5)
        until_s = np.append(due_s[1:], due_s[-1] + LAST_S)
        strengths = [_strength(mono, rows + shift, window) for window in WINDOWS]
        n_steps = len(strengths[0])
        written, begins = np.zeros_like(strengths[0]), np.zeros(n_steps, np.float32)
        for pitch, first, end in zip(melody.pitch.tolist(), _steps(due_s), _steps(until_s), strict=True):
            written[max(0, first) : max(0, end), round(2 * (pitch - lowest))] = 1
            begins[max(0, first - 1) : max(0, first + 2)] = 1
        maps = np.stack([*strengths, _tracked(track, rows + shift, n_steps), written])
        return cls(maps, growth.astype(np.float32)[:n_steps], begins, lowest, due_s, until_s)

    def cut(self, times_s: F64, pitches: F64, written: I64) -> F32:
        """
        Cut out what sounds around moments.

        Args:
            times_s: The moments [s]. Shape (n,).
            pitches: Pitches in the key of the score [semitones]. Shape (n,).
            written: Number of the written note, -1 for a sound that is only heard. Shape (n,).

        Returns:
            Shape (n, *SHAPE).
        """
        times = times_s[:, None] + TIMES_S
        steps = np.clip(np.round(times / STEP_S).astype(int), 0, self.maps.shape[1] - 1)
        rows = np.round(2 * (pitches[:, None] + SEMITONES - self.lowest)).astype(int)
        is_known = (rows >= 0) & (rows < self.maps.shape[2])
        rows = np.clip(rows, 0, self.maps.shape[2] - 1)
        found = np.zeros((len(times), *SHAPE), np.float32)
        found[:, :4] = self.maps[:, steps[:, None, :], rows[:, :, None]].swapaxes(0, 1) * is_known[:, None, :, None]
        found[:, 4] = self.growth[np.minimum(steps, len(self.growth) - 1)][:, None]
        found[:, 5] = self.begins[steps][:, None]
        own = (times >= self.due_s[written][:, None]) & (times < self.until_s[written][:, None])
        found[:, 6, OWN_ROWS] = (own & (written >= 0)[:, None])[:, None]
        return found


def _steps(times_s: F64) -> list[int]:
    return [round(it / STEP_S) for it in times_s.tolist()]


def _strength(mono: F32, midi: F64, window: int) -> F32:
    """Return how strongly the harmonics of pitches sound, shape (n_steps, n_pitches)."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(mono, window // 2), window)[::HOP]
    weights = np.hanning(window).astype(np.float32)
    bounds = [*range(0, len(frames), BLOCK), len(frames)]
    spectra = [np.abs(np.fft.rfft(frames[a:b] * weights, axis=1)).astype(np.float32) for a, b in pairwise(bounds)]
    magnitude = np.concatenate(spectra)
    level = np.log1p(COMPRESSION * magnitude / max(float(np.quantile(magnitude.max(axis=1), 0.95)), 1e-9))
    strength = np.zeros((len(level), len(midi)), np.float32)
    for harmonic in range(1, N_HARMONICS + 1):
        bins = harmonic * 440 * 2 ** ((midi - 69) / 12) * window / RATE_HZ
        inside = bins < window // 2 - 2
        below = bins[inside].astype(int)
        part = (bins[inside] - below).astype(np.float32)
        strength[:, inside] += (level[:, below] * (1 - part) + level[:, below + 1] * part) / np.sqrt(harmonic)
    return np.asarray(strength / 3, np.float32)


def _tracked(track: PitchTrack, midi: F64, n_steps: int) -> F32:
    """Return where the tracked pitch is, as high as it is periodic, shape (n_steps, n_pitches)."""
    frames = np.clip(np.round(np.arange(n_steps) * STEP_S / FRAME_S).astype(int), 0, len(track.midi) - 1)
    off = midi - track.midi[frames][:, None]
    height = np.exp(-0.5 * (off / TRACK_SD) ** 2) * track.periodicity[frames][:, None]
    return np.asarray(np.nan_to_num(height), np.float32)
