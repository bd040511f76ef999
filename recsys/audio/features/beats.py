"""
Beats and bars of a recording.

Rises of power in bands and changes of harmony -> a small convolutional network -> activations of beats and of
downbeats, 50 per second -> the most likely sequence of beats, whose period may change slightly from beat to beat ->
the most likely sequence of positions in bars of two, three or four beats. In compound metres (6/8, 9/8, 12/8), the beat
is the dotted crotchet.

Sources: Davies, Boeck, Temporal Convolutional Networks for Musical Audio Beat Tracking (EUSIPCO 2019) for the network;
Krebs, Boeck, Widmer, An Efficient State-Space Model for Joint Tempo and Meter Tracking (ISMIR 2015) for the beats.
`python -m bench.audio.train_features` trains the weights on rendered music with exact labels.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from scipy.ndimage import maximum_filter1d
from scipy.special import expit

from recsys.arrays import F32, F64, I64, Bool
from recsys.audio.mel import RATE_HZ
from recsys.audio.spectrum import FRAMES_PER_SECOND, HOP_LONG, HOP_SHORT, N_LONG, N_SHORT

PATH = Path(__file__).parents[1] / "weights" / "beats.npz"
BANDS = ((0, 3), (3, 6), (6, 10), (10, 14), (14, 20), (20, 26), (26, 33), (33, 40))  # of mel bands
LOG_GAIN, LAG = 1e4, 2  # as in the onset curves of `rhythm`
POOLED = 2  # short frames per step
STEPS_PER_SECOND = FRAMES_PER_SECOND / POOLED
FIRST_STEP_S = (N_SHORT / 2 + (LAG + 1) / 2 * HOP_SHORT) / RATE_HZ  # time of the first step [s]
LARGEST_RISE, RISE_PERCENTILE = 4.0, 95  # rises are relative to this percentile
LAGS = (1, 2)  # long frames over which a change of harmony is measured
FASTEST_BPM, SLOWEST_BPM = 215.0, 55.0
PERIODS = np.arange(int(60 * STEPS_PER_SECOND / FASTEST_BPM) + 1, int(60 * STEPS_PER_SECOND / SLOWEST_BPM) + 1)
BEAT_PART = 16  # the first sixteenth of a period is the beat
PERIOD_COST = 100.0  # of a relative change of the period, in natural logarithms of probability
METRES = (2, 3, 4, 5, 7)  # beats per bar; five and seven were not trained, and are only heard to be left out
TRAINED_METRES = (2, 3, 4)
CHANGES_ON_DOWNBEAT, CHANGES_ELSEWHERE = (0.4, 0.5, 0.6, 0.6, 0.6), 0.08  # share of beats with a new chord, by metre
CHORD_TOLERANCE_S = 0.35
RARE_COST = 4.0  # of the metres that were not trained, in natural logarithms of probability
RESTART_COST = 8.0  # of a bar that breaks off
DOWNBEAT_WEIGHT = 0.25  # of the activations of downbeats beside the changes of chords
HALF_BAR = 0.5  # share by which the third of four beats is a downbeat, since it often sounds like one
SPAN = 4  # beats over which the tempo is measured
AUDIBLE = 0.1  # activation of the first and the last beat
NEAR = 2  # steps around a beat in which its activations are looked up


@dataclass(frozen=True, eq=False)
class Beats:
    """
    Beats of a recording.

    Attributes:
        times_s: Time of each beat, shape (n_beats,) [s].
        positions: Position of each beat in its bar, from 0 (the downbeat), shape (n_beats,).
        metres: Number of beats of the bar of each beat, shape (n_beats,).
        confidence: Mean activation at the beats, 0..1.
        bar_confidence: Mean probability of the positions in the bar, 0..1.
    """

    times_s: F64
    positions: I64
    metres: I64
    confidence: float
    bar_confidence: float

    @property
    def downbeats_s(self) -> F64:
        """Times of the first beats of bars [s]."""
        return np.asarray(self.times_s[self.positions == 0])

    @property
    def beats_per_bar(self) -> int:
        """The most frequent number of beats per bar; one that is not in `TRAINED_METRES` is uncertain."""
        return int(np.bincount(self.metres).argmax())

    @property
    def tempo_variation(self) -> float:
        """Standard deviation of the tempo, measured over four beats, relative to its mean; 0 if it is constant."""
        spans_s = self.times_s[SPAN:] - self.times_s[:-SPAN]
        return float(np.std(1 / spans_s) / np.mean(1 / spans_s)) if len(spans_s) else 0.0


def onset_bands(mel: F32) -> F32:
    """Return the rise of log power of the short frames, shape (n_short, 40), in 8 bands, shape (n_short - 2, 8)."""
    level = np.log1p(LOG_GAIN * mel)
    rise = np.maximum(level[LAG:] - maximum_filter1d(level, 3, axis=1)[:-LAG], 0)
    return np.stack([rise[:, low:high].mean(axis=1) for low, high in BANDS], axis=1)


def inputs(by_band: F32, harmonies: tuple[F32, ...]) -> F32:
    """
    Return the network's inputs.

    Args:
        by_band: What `onset_bands` returns, shape (n, 8).
        harmonies: Descriptions of the long frames whose changes mark bars, such as chroma; shapes (n_long, any).

    Returns:
        Rises in 8 bands and changes of each harmony over two lags, shape (n_steps, 8 + 2 * n_harmonies), float32.
    """
    n = len(by_band) // POOLED
    pooled = by_band[: n * POOLED].reshape(n, POOLED, len(BANDS)).max(axis=1)
    relative = pooled / max(float(np.percentile(pooled, RISE_PERCENTILE)), 1e-6)
    times_s = FIRST_STEP_S + np.arange(n) / STEPS_PER_SECOND
    changes = [_change(harmony, lag, times_s) for harmony in harmonies for lag in LAGS]
    columns = [np.sqrt(np.minimum(relative, LARGEST_RISE)), *(change[:, None] for change in changes)]
    return np.hstack(columns).astype(np.float32)


def _change(harmony: F32, lag: int, times_s: F64) -> F64:
    """Return 1 - cosine of frames `lag` apart, half-way between them, at the times of the steps."""
    directions = harmony / np.maximum(np.linalg.norm(harmony, axis=1, keepdims=True), 1e-6)
    change = 1 - (directions[lag:] * directions[:-lag]).sum(axis=1)
    if not len(change):
        return np.zeros(len(times_s))
    middles_s = (N_LONG / 2 + (np.arange(len(change)) + lag / 2) * HOP_LONG) / RATE_HZ
    return np.asarray(np.interp(times_s, middles_s, change))


@dataclass(frozen=True, eq=False)
class BeatNetwork:
    """
    A network of dilated convolutions over time, of kernels of 5 steps; H is its number of channels.

    Attributes:
        mean, scale: Mean and scale of the inputs, shape (n_inputs,).
        first, first_bias: First convolution, shapes (5, n_inputs, H) and (H,).
        layers, layer_biases: Convolutions with the dilations 1, 2, 4 and so on, shapes (n, 5, H, H) and (n, H).
        last, last_bias: Scores of a beat and of a downbeat, shapes (H, 2) and (2,).
    """

    mean: F32
    scale: F32
    first: F32
    first_bias: F32
    layers: F32
    layer_biases: F32
    last: F32
    last_bias: F32

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Read the weights from an npz file."""
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name].astype(np.float32) for name in cls.__dataclass_fields__})

    def save(self, path: Path) -> None:
        """Write the weights to an npz file, as float16."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in self.__dataclass_fields__}
        np.savez(path, allow_pickle=False, **arrays)

    def activations(self, values: F32) -> F32:
        """Return the activations of beats and downbeats, 0..1, shape (n_steps, 2), for what `inputs` returns."""
        hidden = np.maximum(_convolved((values - self.mean) / self.scale, self.first, 1) + self.first_bias, 0)
        for number, (weights, bias) in enumerate(zip(self.layers, self.layer_biases, strict=True)):
            hidden = hidden + 0.5 * np.maximum(_convolved(hidden, weights, 2**number) + bias, 0)
        return np.asarray(expit(hidden @ self.last + self.last_bias), np.float32)


def _convolved(values: F32, weights: F32, dilation: int) -> F32:
    """Convolve over time: values (n, n_in), weights (5, n_in, n_out) -> (n, n_out), with zeros beyond the ends."""
    margin = len(weights) // 2 * dilation
    padded = np.pad(values, ((margin, margin), (0, 0)))
    steps = (padded[k * dilation : k * dilation + len(values)] @ tap for k, tap in enumerate(weights))
    return np.asarray(sum(steps), np.float32)


@cache
def load_network() -> BeatNetwork:
    """Return the network of this package."""
    return BeatNetwork.load()


def find_beats(activations: F32, chord_starts_s: F64) -> Beats | None:
    """
    Return the most likely beats and bars; None if there is no beat.

    Beats before the first one and after the last one that can be heard are left out.

    Args:
        activations: Activations of beats and downbeats, shape (n_steps, 2).
        chord_starts_s: Times at which chords begin, most of them with a bar, shape (n,) [s].
    """
    beat, downbeat = activations.astype(np.float64).T
    peaks = np.array([_peak(beat, step) for step in _beat_steps(np.clip(beat, 1e-4, 1 - 1e-4))])
    near = np.clip(np.round(peaks).astype(int)[:, None] + np.arange(-NEAR, NEAR + 1), 0, len(beat) - 1)
    heights = beat[near].max(axis=1)
    audible = np.flatnonzero(heights >= AUDIBLE)
    if not len(audible):
        return None
    kept = slice(audible[0], audible[-1] + 1)
    times_s = FIRST_STEP_S + peaks[kept] / STEPS_PER_SECOND
    downbeats = np.clip(downbeat[near[kept]].max(axis=1), 1e-3, 1 - 1e-3)
    positions, metres, bar_confidence = _bars(downbeats, _has_change(times_s, chord_starts_s))
    return Beats(times_s, positions, metres, float(heights[kept].mean()), bar_confidence)


def _beat_steps(beat: F64) -> I64:
    """
    Return the step of each beat, by dynamic programming over periods and the positions in them (Viterbi).

    A state is a position within a period; from the last position, the next period begins, at a cost for the change.
    """
    firsts = np.concatenate([[0], np.cumsum(PERIODS)[:-1]])
    lasts = firsts + PERIODS - 1
    positions = np.arange(PERIODS.sum()) - np.repeat(firsts, PERIODS)
    is_beat = positions * BEAT_PART < np.repeat(PERIODS, PERIODS)
    costs = PERIOD_COST * np.abs(PERIODS[None, :] / PERIODS[:, None] - 1)  # from row to column
    on_beat, between = np.log(beat), np.log((1 - beat) / (BEAT_PART - 1))
    best = np.where(is_beat, on_beat[0], between[0])
    came_from = np.zeros((len(beat), len(PERIODS)), np.int64)
    columns = np.arange(len(PERIODS))
    for step in range(1, len(beat)):
        arriving = best[lasts][:, None] - costs
        came_from[step] = arriving.argmax(axis=0)
        best = np.concatenate([best[:1], best[:-1]])
        best[firsts] = arriving[came_from[step], columns]
        best += np.where(is_beat, on_beat[step], between[step])
    return _traced(int(best.argmax()), positions, came_from)


def _traced(state: int, positions: I64, came_from: I64) -> I64:
    """Return the steps at which periods begin on the best path that ends in `state`."""
    period, step = int(np.repeat(np.arange(len(PERIODS)), PERIODS)[state]), len(came_from) - 1 - int(positions[state])
    steps = []
    while step >= 0:
        steps.append(step)
        period = int(came_from[step, period])
        step -= int(PERIODS[period])
    return np.array(steps[::-1], np.int64)


def _peak(beat: F64, step: int) -> float:
    """Return the position of the highest activation near a step, interpolated by a parabola."""
    low = max(step - 1, 0)
    highest = low + int(beat[low : step + NEAR + 2].argmax())
    if not 0 < highest < len(beat) - 1:
        return float(highest)
    left, middle, right = beat[highest - 1 : highest + 2]
    curvature = left - 2 * middle + right
    return highest + float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5)) if curvature < 0 else float(highest)


def _has_change(beats_s: F64, chord_starts_s: F64) -> Bool:
    """Say for each beat whether it is the nearest one to the beginning of a chord that is less than 0.35 s away."""
    has_change = np.zeros(len(beats_s), np.bool_)
    if len(chord_starts_s):
        nearest = np.searchsorted((beats_s[1:] + beats_s[:-1]) / 2, chord_starts_s)  # of two as near, the earlier
        is_near = np.abs(beats_s[nearest] - chord_starts_s) < CHORD_TOLERANCE_S
        has_change[nearest[is_near]] = True
    return has_change


def _bars(downbeat: F64, has_change: Bool) -> tuple[I64, I64, float]:
    """
    Return the position of each beat in its bar, the number of beats of its bar, and the confidence in them.

    Args:
        downbeat: Activation of a downbeat at each beat, 0..1, shape (n_beats,).
        has_change: Whether a chord begins with the beat, shape (n_beats,).
    """
    metre = np.repeat(METRES, METRES)
    position = np.concatenate([np.arange(n) for n in METRES])
    following = np.array(
        [np.flatnonzero((metre == n) & (position == (p + 1) % n))[0] for n, p in zip(metre, position, strict=True)]
    )
    target = np.where((metre == 4) & (position == 2), HALF_BAR, position == 0)
    log_probabilities = target * np.log(downbeat)[:, None] + (1 - target) * np.log(1 - downbeat)[:, None]
    changes = np.where(position == 0, np.repeat(CHANGES_ON_DOWNBEAT, METRES), CHANGES_ELSEWHERE)
    evidence = np.log(np.where(has_change[:, None], changes, 1 - changes))
    scores = DOWNBEAT_WEIGHT * log_probabilities + evidence  # (n_beats, n_states)
    best, came_from = scores[0] - RARE_COST * ~np.isin(metre, TRAINED_METRES), np.zeros(scores.shape, np.int64)
    before = np.argsort(following)  # the state that leads to each state
    for beat, row in enumerate(scores[1:], start=1):
        breaks = best[before] < best.max() - RESTART_COST
        came_from[beat] = np.where(breaks, best.argmax(), before)
        best = np.maximum(best[before], best.max() - RESTART_COST) + row
    path = np.empty(len(scores), np.int64)
    path[-1] = best.argmax()
    for beat in range(len(scores) - 1, 0, -1):
        path[beat - 1] = came_from[beat, path[beat]]
    on_path = target[path]
    confidence = float((on_path * downbeat + (1 - on_path) * (1 - downbeat)).mean())
    return position[path], metre[path], confidence
