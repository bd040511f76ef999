"""
A small network that hears key and chords in pitch classes over time.

Salience per semitone -> five profiles of the twelve pitch classes per frame (bass, middle, high, and with each peak
counted as a harmonic of lower notes) and the level -> convolutions over pitch classes (circular, so that a transposed
recording gives transposed answers) and over time -> per frame, a score for each chord; for the recording, a score for
each key, from means over the frames of sixths, of the whole, the beginning and the end. Several networks, trained from
different seeds, are averaged.

`python -m bench.audio.train_features` trains the weights on rendered music with exact labels.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from recsys.arrays import F32, F64

PATH = Path(__file__).parents[1] / "weights" / "harmony.npz"
LOWEST_MIDI, N_SEMITONES = 33, 63  # from A1 (55 Hz) to B6 (1,976 Hz)
BASS_END, MIDDLE_END = 60, 72  # MIDI pitches at which the middle and the high profile begin
HARMONICS, HARMONIC_DECAY = (1, 2, 3, 4, 5), 0.6
N_PROFILES = 6  # five of pitch classes, and the level
QUIET, LOUD, LOUD_PERCENTILE = -4.0, 1.0, 90  # limits of the level, in powers of ten from that of a loud frame
N_SEGMENTS, N_ENDS = 6, 10  # parts of the recording; frames of its beginning and end
KERNEL = 5  # frames of a convolution over time
DILATIONS = (1, 2, 4)
N_CHORDS = 25  # 12 roots as major and minor, and none


@dataclass(frozen=True, eq=False)
class HarmonyEstimate:
    """
    Key and chords that the networks estimate.

    Attributes:
        keys: Probability of each key, shape (24,): C major, C minor, C# major and so on.
        chords: Probability of each chord in each frame, shape (n_frames, 25): in the order of the keys, then none.
    """

    keys: F64
    chords: F64


def profiles(salience: F32, power: F32) -> F32:
    """
    Return the networks' inputs.

    Args:
        salience: Strength of each semitone from A1 on, in each frame, shape (n_frames, 63), at least 0.
        power: Mean square of the magnitudes of each frame, shape (n_frames,).

    Returns:
        Profiles of the pitch classes from C on, and the level, shape (n_frames, 6, 12), float32.
    """
    by_profile = (salience @ _folding()).reshape(len(salience), N_PROFILES - 1, 12)
    mean = salience.sum(axis=1)[:, None, None] / 12 + 1e-6
    log_power = np.log10(power + 1e-12)
    level = np.clip(log_power - np.percentile(log_power, LOUD_PERCENTILE), QUIET, LOUD)
    levels = np.broadcast_to(level[:, None, None], (len(salience), 1, 12))
    return np.concatenate([by_profile / mean, levels], axis=1).astype(np.float32)


@cache
def _folding() -> F32:
    """Return the weight of each semitone in each pitch class of the five profiles, shape (63, 5 * 12)."""
    midi = np.arange(LOWEST_MIDI, LOWEST_MIDI + N_SEMITONES)
    is_bass, is_high = midi < BASS_END, midi >= MIDDLE_END
    own = np.eye(12)[midi % 12]  # (63, 12)
    folded = np.zeros((N_SEMITONES, 12))
    for number, harmonic in enumerate(HARMONICS):
        steps = 12 * np.log2(harmonic)
        fit = np.cos(np.pi * (steps - np.round(steps))) ** 2
        folded += HARMONIC_DECAY**number * fit * np.eye(12)[(midi - round(steps)) % 12]
    masks = np.stack([is_bass, ~is_bass & ~is_high, is_high, np.ones(N_SEMITONES), is_bass]).astype(np.float64)
    parts = [mask[:, None] * (own if n < 3 else folded) for n, mask in enumerate(masks)]
    return np.hstack(parts).astype(np.float32)


def pooling(n_frames: int) -> F32:
    """Return weights of frames in means: of sixths, the whole, the beginning and the end, shape (9, n_frames)."""
    edges = np.linspace(0, n_frames, N_SEGMENTS + 1).round().astype(int)
    n_ends = min(N_ENDS, n_frames)
    limits = [(min(start, n_frames - 1), max(end, start + 1)) for start, end in pairwise(edges)]
    limits += [(0, n_frames), (0, n_ends), (n_frames - n_ends, n_frames)]
    weights = np.zeros((len(limits), n_frames), np.float32)
    for row, (start, end) in zip(weights, limits, strict=True):
        row[start:end] = 1
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, eq=False)
class HarmonyNetwork:
    """
    One network. H is its number of channels, K of its hidden units for the key; a profile has 12 pitch classes.

    Attributes:
        mean, scale: Mean and scale of each profile, shape (6,).
        first, first_bias: Convolution over pitch classes, shapes (H, 6, 12) and (H,).
        pitch, pitch_bias: One for each block, shapes (n_blocks, H, H, 12) and (n_blocks, H).
        time: Convolution of each channel over time, by block, shape (n_blocks, 5, H).
        chord, chord_bias: Scores of a major and a minor chord on a pitch class, shapes (2, H) and (2,).
        none, none_bias: Score of no chord, from means over pitch classes, shapes (1, H) and (1,).
        key, key_bias: Hidden units of the key from the pooled channels, shapes (K, 9 * (H + 2)) and (K,).
        tonic, tonic_bias: Scores of a major and a minor key on a pitch class, shapes (2, K, 12) and (2,).
        temperature: Divisor of the scores of keys that calibrates their probabilities, shape ().
    """

    mean: F32
    scale: F32
    first: F32
    first_bias: F32
    pitch: F32
    pitch_bias: F32
    time: F32
    chord: F32
    chord_bias: F32
    none: F32
    none_bias: F32
    key: F32
    key_bias: F32
    tonic: F32
    tonic_bias: F32
    temperature: F32

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the arrays."""
        return tuple(cls.__dataclass_fields__)

    def scores(self, inputs: F32) -> tuple[F32, F32]:
        """Return scores of the 24 keys, shape (24,), and of the 25 chords in each frame, shape (n_frames, 25)."""
        channels = self._channels(inputs)  # (n, H, 12)
        by_pitch = np.einsum("nhp,ch->npc", channels, self.chord) + self.chord_bias
        none = np.maximum(channels.mean(axis=2), 0) @ self.none.T + self.none_bias  # (n, 1)
        chords = np.hstack([by_pitch.reshape(len(inputs), -1), none])
        posteriors = softmax(chords, axis=1)[:, :-1].reshape(-1, 12, 2).transpose(0, 2, 1)
        pooled = np.tensordot(pooling(len(inputs)), np.concatenate([channels, posteriors], axis=1), 1)  # (9, H + 2, 12)
        hidden = np.maximum(self.key @ pooled.reshape(-1, 12) + self.key_bias[:, None], 0)  # (K, 12)
        keys = _circular(hidden[None], self.tonic, self.tonic_bias)[0]  # (2, 12)
        return keys.T.ravel() / self.temperature, chords

    def _channels(self, inputs: F32) -> F32:
        """Return the channels of the last block, shape (n_frames, H, 12)."""
        standard = (inputs - self.mean[:, None]) / self.scale[:, None]
        channels = np.maximum(_circular(standard, self.first, self.first_bias), 0)
        n = len(inputs)
        for pitch, bias, time, dilation in zip(self.pitch, self.pitch_bias, self.time, DILATIONS, strict=True):
            active = np.maximum(_circular(channels, pitch, bias), 0)
            margin = KERNEL // 2 * dilation
            padded = np.pad(active, ((margin, margin), (0, 0), (0, 0)))
            steps = (padded[k * dilation : k * dilation + n] * time[k][:, None] for k in range(KERNEL))
            channels = channels + sum(steps)
        return channels


def _circular(values: F32, weights: F32, bias: F32) -> F32:
    """Convolve circularly over pitch classes: values (n, n_in, 12), weights (n_out, n_in, 12) -> (n, n_out, 12)."""
    n_out, n_in = weights.shape[:2]
    steps = (np.arange(12)[None, :] - np.arange(12)[:, None]) % 12  # from each output to each input
    matrix = weights[:, :, steps].transpose(1, 3, 0, 2).reshape(n_in * 12, n_out * 12)
    product = (values.reshape(len(values), -1) @ matrix).reshape(len(values), n_out, 12)
    return np.asarray(product + bias[:, None], np.float32)


@dataclass(frozen=True, eq=False)
class HarmonyNetworks:
    """Networks that are averaged: their scores of keys, and their probabilities of chords."""

    members: tuple[HarmonyNetwork, ...]

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Read the weights from an npz file, in which the first axis of each array is the network."""
        with np.load(path, allow_pickle=False) as arrays:
            stacked = {name: arrays[name].astype(np.float32) for name in HarmonyNetwork.names()}
        n = len(stacked["mean"])
        return cls(tuple(HarmonyNetwork(**{name: array[i] for name, array in stacked.items()}) for i in range(n)))

    def save(self, path: Path) -> None:
        """Write the weights to an npz file, as float16."""
        names = HarmonyNetwork.names()
        stacked = {name: np.stack([getattr(member, name) for member in self.members]) for name in names}
        arrays: dict[str, npt.NDArray[np.float16]] = {name: array.astype(np.float16) for name, array in stacked.items()}
        np.savez(path, allow_pickle=False, **arrays)

    def estimate(self, inputs: F32) -> HarmonyEstimate:
        """Return the probabilities of keys and chords for the inputs that `profiles` returns."""
        scores = [member.scores(inputs) for member in self.members]
        keys = softmax(np.mean([keys for keys, _ in scores], axis=0, dtype=np.float64))
        chords = np.mean([softmax(chords, axis=1) for _, chords in scores], axis=0, dtype=np.float64)
        return HarmonyEstimate(np.asarray(keys), np.asarray(chords))


@cache
def load_networks() -> HarmonyNetworks:
    """Return the networks of this package."""
    return HarmonyNetworks.load()
