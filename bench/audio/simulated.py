"""
Saliences of semitones simulated from arrangements, without sound, for training the networks of key and chords.

A hundred times faster than rendering. The harmonics of every note decay as on a random instrument; noise, drums and the
level of channels are random. Labels are those of the arrangement.
"""

import numpy as np

from bench.audio.rendered import PIECE_S, Piece, Truth, arranged, excerpt, truth_of
from recsys.arrays import F32, F64
from recsys.audio.features.harmony import LOWEST_MIDI, N_SEMITONES
from recsys.audio.features.tonality import FLOOR
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import HOP_LONG, N_LONG
from recsys.synth.arrange import BASS_CHANNEL, CHORD_CHANNEL, MELODY_CHANNEL, Arrangement, Event
from recsys.synth.render import TAIL_S

HOP_S, FRAME_S = HOP_LONG / RATE_HZ, N_LONG / RATE_HZ
MARGIN_S = 0.08  # at both ends of a frame, where the window is small
BELL_SHARE = 0.12  # of instruments whose partials are no harmonics
STEPS = np.round(12 * np.log2(np.arange(1, 9))).astype(int)  # semitones of the harmonics above the note


def simulate(piece: Piece) -> tuple[F32, F32, Truth]:
    """Return the salience, shape (n_frames, 63), the power of each frame, shape (n_frames,), and the labels."""
    rng = np.random.default_rng(piece.seed)
    played = arranged(piece, rng)
    length_s = min(PIECE_S, max(event.end_s for event in played.events) + TAIL_S)
    start_s, duration_s = excerpt(length_s, rng)
    n_frames = int((duration_s - FRAME_S) / HOP_S) + 1
    energies = np.zeros((n_frames, N_SEMITONES))
    for channel in (MELODY_CHANNEL, CHORD_CHANNEL, BASS_CHANNEL):
        events = [event for event in played.events if event.channel == channel]
        if events:
            gain = 1.0 if channel == MELODY_CHANNEL else np.exp(rng.normal(-0.2, 0.6))
            energies += gain**2 * _energies(events, start_s, n_frames, rng)
    magnitudes = _with_noise(np.sqrt(energies), played, rng)
    loudest = magnitudes.max(axis=1, keepdims=True)
    salience = np.where(magnitudes > FLOOR * loudest, np.sqrt(magnitudes), 0)
    power = np.square(magnitudes).sum(axis=1)
    return salience.astype(np.float32), power.astype(np.float32), truth_of(piece.tune, played, start_s, duration_s)


def _energies(events: list[Event], start_s: float, n_frames: int, rng: np.random.Generator) -> F64:
    """Return the energy of each semitone in each frame, of notes on a random instrument."""
    amplitudes = rng.uniform(0.3, 0.9) ** np.arange(len(STEPS)) * np.exp(rng.normal(0, 0.5, len(STEPS)))
    if rng.random() < 0.15:  # as of a clarinet
        amplitudes[1::2] *= 0.2
    if rng.random() < 0.15:  # a weak fundamental
        amplitudes[0] *= 0.3
    steps = STEPS.copy()
    if rng.random() < BELL_SHARE:
        steps[1:] += rng.integers(-4, 5, len(steps) - 1)
    decay_s = rng.uniform(0.3, 1.5) if rng.random() < 0.5 else 8.0
    release_s = rng.uniform(0.02, 0.3)
    starts_s = np.array([event.start_s for event in events])[:, None] - start_s
    ends_s = np.array([event.end_s for event in events])[:, None] - start_s + release_s
    velocities = np.array([event.velocity for event in events])[:, None] / 100
    n_longest = int(np.ceil((ends_s - starts_s).max() / HOP_S)) + 3
    frames = np.floor((starts_s - FRAME_S) / HOP_S).astype(int) + np.arange(n_longest)  # (n_events, n_longest)
    begins_s = frames * HOP_S
    audible_s = np.minimum(ends_s, begins_s + FRAME_S - MARGIN_S) - np.maximum(starts_s, begins_s + MARGIN_S)
    share = np.clip(audible_s / (FRAME_S - 2 * MARGIN_S), 0, 1)
    levels = velocities * share * np.exp(-np.maximum(begins_s + FRAME_S / 2 - starts_s, 0) / decay_s)
    rows = np.array([event.key for event in events])[:, None, None] + steps - LOWEST_MIDI  # (n_events, 1, n_harmonics)
    is_inside = ((frames >= 0) & (frames < n_frames))[:, :, None] & (rows >= 0) & (rows < N_SEMITONES)
    cells = (frames[:, :, None] * N_SEMITONES + rows)[is_inside]
    energies = np.square(levels[:, :, None] * amplitudes)[is_inside]
    by_cell = np.bincount(cells, energies, n_frames * N_SEMITONES)
    return by_cell.reshape(n_frames, N_SEMITONES).astype(np.float64)


def _with_noise(magnitudes: F64, played: Arrangement, rng: np.random.Generator) -> F64:
    loud = float(np.median(magnitudes.max(axis=1)))
    shape = magnitudes.shape
    noisy = magnitudes + np.abs(rng.normal(0, loud * 10 ** rng.uniform(-2.5, -1.2), shape)) * (rng.random(shape) < 0.35)
    if played.style.has_drums:
        noisy += np.abs(rng.normal(0, 0.04 * loud, shape)) * (rng.random(shape) < 0.2)
    tilt = np.exp(rng.uniform(-0.02, 0.02) * (np.arange(N_SEMITONES) - N_SEMITONES / 2))
    return np.asarray(noisy * np.exp(rng.normal(0, 0.25, shape)) * tilt)
