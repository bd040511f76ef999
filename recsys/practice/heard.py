"""
The notes that are heard in a take, whatever is written: runs of one pitch, divided where the sound sets in anew.

Frames choose among the semitones of the take's own tuning, or silence, and each change costs something, so that vibrato
and short glides do not change the note (dynamic programming). Where the spectrum grows suddenly, a note begins.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recsys.arrays import F32, F64, I64
from recsys.audio.pitch import FRAME_S, RATE_HZ, PitchTrack

FAR, CHANGE_COST = 2.0, 2.5  # distance that costs most [semitones], of a change [semitones x frames]
SILENT_COST, UNVOICED_COST = 1.4, 0.7  # of silence in a voiced frame, of a pitch in an unvoiced one [semitones]
WINDOW, HOP = 512, 128  # of the spectra, 32 ms and 8 ms
STEP_S = HOP / RATE_HZ
LAG = 3  # steps over which a spectrum grows
COMPRESSION = 300.0  # of magnitudes relative to the largest, before their logarithm
PEAK_STEPS = 4  # a peak is the largest within so many steps on both sides
AROUND_STEPS = 60  # novelty is measured against its median within about half a second
LEAST_PEAK = 0.15  # of novelty, for the beginning of a note within a pitch
NEAR_S, AT_EDGE_S = 0.056, 0.07  # a change of pitch is moved to a peak so near; a peak so near divides nothing
BEFORE_S = 0.15  # after silence, the pitch may be clear only so long after the beginning
SHORTEST_FRAMES = 3
STEADY = 0.7  # frames before the first and after the last within this distance of the median are glides [semitones]


@dataclass(frozen=True)
class HeardNote:
    """
    A note that is heard.

    Attributes:
        start_s, end_s: Where it begins and ends [s].
        midi: Its pitch [semitones; 69 is 440 Hz]: the median of its frames.
        attack: How suddenly the spectrum grows where it begins; around 0 if nothing sets in, 1 for a clear attack.
        is_voiced_before: Whether a pitch sounds directly before it.
        frames: Its frames in the pitch track.
    """

    start_s: float
    end_s: float
    midi: float
    attack: float
    is_voiced_before: bool
    frames: slice

    @property
    def length_s(self) -> float:
        """How long it sounds [s]."""
        return self.end_s - self.start_s


def novelty(mono: F32) -> F64:
    """Return how much the spectrum grows at each step of 8 ms, relative to its surroundings, shape (n_steps,)."""
    padded = np.pad(mono, (WINDOW // 2, WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    magnitude = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1))[:, 2:]
    level = np.log1p(COMPRESSION * magnitude / max(float(np.quantile(magnitude.max(axis=1), 0.95)), 1e-9))
    growth = np.maximum(level[LAG:] - level[:-LAG], 0).mean(axis=1)
    found = np.zeros(len(level))
    found[LAG // 2 + 1 : LAG // 2 + 1 + len(growth)] = growth
    return np.asarray(found - _running_median(found))


def _running_median(values: F64) -> F64:
    from scipy.ndimage import median_filter  # noqa: PLC0415 - slow to import

    return np.asarray(median_filter(values, 2 * (AROUND_STEPS // 2) + 1))


def heard_notes(track: PitchTrack, growth: F64) -> list[HeardNote]:
    """
    Find the notes of a take.

    Args:
        track: Its pitch.
        growth: Its `novelty`.

    Returns:
        Notes in order of time.
    """
    if not track.is_voiced.any():
        return []
    peaks = _peaks(growth)
    levels = _semitones(track)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(levels)) + 1, [len(levels)]])
    runs = [(int(a), int(b)) for a, b in pairwise(edges) if levels[a] >= 0]
    found: list[HeardNote] = []
    for first, end in runs:
        for start_s, end_s in _divided(first, end, levels, peaks, growth):
            note = _note(track, start_s, end_s, growth, is_after=bool(first > 0 and levels[first - 1] >= 0))
            found += [note] if note else []
    return found


def _semitones(track: PitchTrack) -> I64:
    """Give each frame a semitone of the take's tuning, -1 for silence."""
    midi = track.midi
    voiced = track.is_voiced
    tuning = float(np.angle(np.exp(2j * np.pi * midi[voiced]).mean()) / (2 * np.pi))
    low, high = int(np.floor(midi[voiced].min())) - 1, int(np.ceil(midi[voiced].max())) + 2
    pitches = np.arange(low, high) + tuning
    costs = np.minimum(np.abs(midi[:, None] - pitches), FAR)
    costs[~voiced] = UNVOICED_COST
    silent = np.where(voiced, SILENT_COST, 0.0)
    path = cheapest_path(np.column_stack([silent, costs]), CHANGE_COST)
    return np.asarray(path - 1)


def cheapest_path(costs: F64, change_cost: float) -> I64:
    """Return the state of each frame, given costs of states (n_frames, n_states), if every change costs the same."""
    total = costs[0].copy()
    origins = np.empty(costs.shape, np.int32)
    own = np.arange(costs.shape[1])
    for frame in range(1, len(costs)):
        best = int(total.argmin())
        limit = total[best] + change_cost
        origins[frame] = np.where(limit < total, best, own)
        total = np.minimum(total, limit) + costs[frame]
    path = np.empty(len(costs), np.int64)
    path[-1] = int(total.argmin())
    for frame in range(len(costs) - 1, 0, -1):
        path[frame - 1] = origins[frame, path[frame]]
    return path


def _peaks(growth: F64) -> I64:
    from scipy.ndimage import maximum_filter1d  # noqa: PLC0415 - slow to import

    is_peak = (growth == maximum_filter1d(growth, 2 * PEAK_STEPS + 1)) & (growth > LEAST_PEAK)
    return np.flatnonzero(is_peak)


def _divided(first: int, end: int, levels: I64, peaks: I64, growth: F64) -> list[tuple[float, float]]:
    """Return start and end [s] of the notes in a run of frames of one pitch."""
    is_after_silence = first == 0 or levels[first - 1] < 0
    before_s = BEFORE_S if is_after_silence else NEAR_S
    start_s, end_s = _moved((first - 0.5) * FRAME_S, before_s, peaks, growth), (end - 0.5) * FRAME_S
    times = peaks * STEP_S
    inner = times[(times > start_s + AT_EDGE_S) & (times < end_s - AT_EDGE_S)]
    bounds = [start_s, *inner.tolist(), end_s]
    return list(pairwise(bounds))


def _moved(time_s: float, before_s: float, peaks: I64, growth: F64) -> float:
    """Return the time of the highest peak near a change of pitch, or the time itself."""
    times_s = peaks * STEP_S
    near = peaks[(times_s >= time_s - before_s) & (times_s <= time_s + NEAR_S)]
    return float(near[growth[near].argmax()] * STEP_S) if len(near) else time_s


def _note(track: PitchTrack, start_s: float, end_s: float, growth: F64, *, is_after: bool) -> HeardNote | None:
    frames = slice(max(0, round(start_s / FRAME_S)), max(0, round(end_s / FRAME_S)))
    midi = track.midi[frames]
    if (~np.isnan(midi)).sum() < SHORTEST_FRAMES:
        return None
    step = round(start_s / STEP_S)
    attack = float(growth[max(0, step - 3) : step + 4].max(initial=0.0))
    return HeardNote(start_s, end_s, float(np.nanmedian(midi)), attack, is_after, frames)
