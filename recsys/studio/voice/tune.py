"""
Correct the pitch of a take: the centre of each note moves to its target; vibrato, glides and unvoiced sound stay.

The correction of a note is the line through its pitch, off its target. It is reached within a given time from the
note's beginning, and given up in the same time where the voice glides on to the next note. Between passages that
are corrected, every sample is that of the source.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from recsys.arrays import F32, F64
from recsys.audio.pitch import FRAME_S, RATE_HZ, PitchTrack, track_pitch
from recsys.audio.signal import MIN_SIDE_POWER, resample
from recsys.errors import InputError
from recsys.studio.voice.notes import SungNote, sung_notes
from recsys.studio.voice.psola import pitch_marks, shift_passage
from recsys.studio.voice.scores import Key, Score, note_name

MIN_SURE = 0.5  # share of the sounding time with a sure pitch, below which a take is not one voice
MIN_VOICED_FRAMES = 4
MIN_PASSAGE_FRAMES = 3
HOLD_S = 0.05  # a correction is held so long after a note that ends without a glide
STEP_S = 1e-6  # between a value and the next where a correction jumps


@dataclass(frozen=True)
class Limits:
    """
    How much is corrected, and how fast.

    Attributes:
        amount: Share of a note's distance from its target that is corrected, 0..1.
        speed_ms: Time from the beginning of a note until it is corrected [ms]; in a short note, at most a third of it.
    """

    amount: float = 1.0
    speed_ms: float = 40.0


@dataclass(frozen=True)
class TunedNote:
    """
    A note before and after.

    Attributes:
        start_s, end_s: Where it is, without glides [s].
        note: Name of its target, such as A4.
        cents_before, cents_after: Median of its pitch off the target, measured on the source and on the result [cents];
            None if the result has no pitch there.
        left_alone: Why it was not corrected; empty if it was.
    """

    start_s: float
    end_s: float
    note: str
    cents_before: float
    cents_after: float | None
    left_alone: str


@dataclass(frozen=True, eq=False)
class Tuned:
    """
    A corrected take.

    Attributes:
        samples: Shape (n_channels, n_samples), float32, as long as the source.
        notes: Its notes.
        sure_share: Share of the sounding time with a sure pitch, 0..1.
    """

    samples: F32
    notes: tuple[TunedNote, ...]
    sure_share: float


def tune(samples: F32, rate_hz: int, target: Score | Key, limits: Limits) -> Tuned:
    """
    Correct a take of one voice.

    Args:
        samples: Shape (n_channels, n_samples), float32.
        rate_hz: Sampling rate [Hz].
        target: A score, or a key whose nearest notes are the targets.
        limits: How much, and how fast.

    Raises:
        InputError: The take is silent, is not one voice, or does not follow the score.
    """
    mono = voice_of(samples)
    track = track_pitch(resample(mono, rate_hz, RATE_HZ))
    _require_one_voice(track)
    notes = sung_notes(track, target)
    tuned = samples.copy()
    correction = partial(_correction_cents, *_control_points(notes, track, limits))
    for start, end in _passages(track):
        first, last = (round(frame * FRAME_S * rate_hz) for frame in (start, end))
        marks = pitch_marks(mono, first, last, _Period(track, slice(start, end + 1), rate_hz))
        shift_passage(samples, tuned, marks, lambda t: 2 ** (correction(t / rate_hz) / 1200))
    after = track_pitch(resample(voice_of(tuned), rate_hz, RATE_HZ))
    return Tuned(tuned, tuple(_compared(note, after) for note in notes), track.sure_share)


def voice_of(samples: F32) -> F32:
    """Return the mean of the channels, shape (n_samples,); of two that cancel each other, half their difference."""
    mid: F32 = samples.mean(axis=0, dtype=np.float32)
    if len(samples) != 2:
        return mid
    side = (samples[0] - samples[1]) / np.float32(2)
    return side if np.square(side).sum() > MIN_SIDE_POWER * np.square(mid).sum() else mid


def _require_one_voice(track: PitchTrack) -> None:
    if not track.is_sounding.any():
        raise InputError("The take is silent. Give the recording of one voice")
    if track.sure_share < MIN_SURE or track.is_voiced.sum() < MIN_VOICED_FRAMES:
        raise InputError(
            f"The pitch is sure in {track.sure_share:.0%} of the sounding time, expected {MIN_SURE:.0%} at least: "
            "several voices at once, noise, or too short. Give the stem of one voice"
        )


def _passages(track: PitchTrack) -> list[tuple[int, int]]:
    """Return the first and the last frame of each voiced passage."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], track.is_voiced.astype(np.int8), [0]])))
    spans = edges.reshape(-1, 2)
    return [(int(start), int(end) - 1) for start, end in spans if end - start >= MIN_PASSAGE_FRAMES]


class _Period:
    """Period of a passage [samples], by time [samples]."""

    def __init__(self, track: PitchTrack, frames: slice, rate_hz: int) -> None:
        self._times = np.arange(frames.start, frames.stop) * FRAME_S * rate_hz
        self._periods = rate_hz / (440 * 2 ** ((track.midi[frames] - 69) / 12))

    def __call__(self, times: F64) -> F64:
        return np.interp(times, self._times, self._periods)


def _control_points(notes: list[SungNote], track: PitchTrack, limits: Limits) -> tuple[F64, F64]:
    """Return times [s] and corrections [cents], between which the correction is linear."""
    times, cents = [0.0], [0.0]
    for note in notes:
        if note.left_alone:
            continue
        start, end = note.first * FRAME_S, note.last * FRAME_S
        ramp = min(limits.speed_ms / 1000, (end - start) / 3)
        glides_on = bool(track.is_voiced[note.last + 1 : note.last + 3].any())
        release = (end - max(ramp, STEP_S), end) if glides_on else (end, end + HOLD_S)
        reached = start + max(ramp, STEP_S)
        line = np.interp([reached, release[0]], [start, end], [note.start_cents, note.end_cents])
        times += [max(start, times[-1] + STEP_S), reached, *release]
        cents += [0.0, *(-limits.amount * line), 0.0 if glides_on else -limits.amount * line[1]]
        if not glides_on:
            times.append(times[-1] + STEP_S)
            cents.append(0.0)
    return np.maximum.accumulate(np.array(times)), np.array(cents)


def _correction_cents(times: F64, cents: F64, wanted_s: F64) -> F64:
    return np.interp(wanted_s, times, cents)


def _compared(note: SungNote, after: PitchTrack) -> TunedNote:
    midi = after.midi[note.frames]
    is_voiced = ~np.isnan(midi)
    cents = 100 * (float(np.median(midi[is_voiced])) - note.target) if is_voiced.any() else None
    return TunedNote(
        start_s=note.first * FRAME_S,
        end_s=(note.last + 1) * FRAME_S,
        note=note_name(note.target),
        cents_before=note.cents,
        cents_after=cents,
        left_alone=note.left_alone,
    )
