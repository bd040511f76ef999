"""
What is said of a take: each written note right, wrong, missing or unsure, its time and its cents; and extra notes.

The networks of `network` give probabilities; nothing is said where these leave doubt. How sure they must be was chosen
on made-up takes with planted errors (`bench.practice --half tune`), whose tunes, instruments and rooms they never saw.
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.arrays import F64
from recsys.audio.pitch import FRAME_S, PitchTrack
from recsys.matching.tunes.melody import EPSILON, Melody
from recsys.practice.evidence import Evidence
from recsys.practice.follow import Followed
from recsys.practice.heard import SHORTEST_FRAMES, HeardNote
from recsys.practice.network import LATE_S, VERDICTS

SURE = {"right": 0.8, "wrong": 0.5, "missing": 0.7}  # least probability of a verdict
LATE_FROM_S, LATE_SURE, ON_TIME_SURE = 0.06, 0.5, 0.7  # late or early is what is as far off the curve
EXTRA_SURE, EXTRA_APART_S = 0.3, 0.08
OWN_SEMITONES = 0.7  # a right note is what is heard within so much of its pitch
BEFORE_S, AFTER_S = 0.3, 0.1  # a note is missing if no pitch sounds from so long before it until so long after it
JOINED_S, SAME_PITCH = 0.05, 0.6  # between sounds that are one [s, semitones]
OUT_CENTS = 35.0
STEADY = 0.7  # frames before the first and after the last within this distance of the median are glides [semitones]
LEAST_STEADY = 5  # frames, for cents
VIBRATO_HZ = (4.0, 8.5)
LEAST_VIBRATO_S, LEAST_VIBRATO_CENTS = 0.35, 8.0
REASONS = {  # why a note is unsure, by what it may be
    frozenset({"right", "wrong"}): "its pitch is not clear",
    frozenset({"right", "missing"}): "it may sound softly, or be part of the sound before",
    frozenset({"wrong", "missing"}): "something else sounds, which may be this note or a neighbour",
}


@dataclass(frozen=True, kw_only=True)
class JudgedNote:
    """
    A written note and what was heard of it.

    Attributes:
        number, bar: Its number from 0, and its bar.
        pitch: Written MIDI pitch.
        due_s, due_end_s: When it is due by the take's tempo curve, and when it should end [s].
        verdict: "right", "wrong", "missing" or "unsure".
        reason: Why it is unsure, in words.
        heard: The heard note; None if there is none, or the verdict is neither right nor wrong.
        late_s: How much later than due it begins [s]; NaN if unsure.
        is_off_time: Whether that is late or early beyond doubt.
        cents: Centre off the written pitch in the take's key and tuning [cents]; NaN if unsure.
        vibrato_cents, vibrato_hz: Extent (half of peak to peak) and rate; 0 without vibrato.
        glide_s: Length of the glide into the note [s].
    """

    number: int
    bar: int
    pitch: int
    due_s: float
    due_end_s: float
    verdict: str
    reason: str = ""
    heard: HeardNote | None = None
    late_s: float = float("nan")
    is_off_time: bool = False
    cents: float = float("nan")
    vibrato_cents: float = 0.0
    vibrato_hz: float = 0.0
    glide_s: float = 0.0


@dataclass(frozen=True)
class ExtraNote:
    """A note that is not written: what is heard, its pitch in the key of the score, and the bar it falls in."""

    heard: HeardNote
    pitch: float
    bar: int


@dataclass(frozen=True)
class Judgement:
    """Written notes, extra ones, key and tuning [semitones], and the spread of onsets about the curve [s]."""

    notes: tuple[JudgedNote, ...]
    extra: tuple[ExtraNote, ...]
    shift: float
    spread_s: float


def judge(
    melody: Melody, track: PitchTrack, heard: list[HeardNote], followed: Followed, evidence: Evidence
) -> Judgement:
    """Judge a take that was aligned to its score."""
    heard = _joined(heard, followed)
    found = followed.heard >= 0
    start_s = np.array([note.start_s for note in heard])
    off_s = (start_s[followed.heard] - evidence.due_s)[found]
    spread_s = float(1.4826 * np.median(np.abs(off_s))) if len(off_s) else 0.0
    due_end_s = _ends_s(melody, evidence.due_s)
    notes = []
    for number in range(len(melody)):
        own = heard[followed.heard[number]] if found[number] else None
        note = JudgedNote(
            number=number,
            bar=int(melody.bar[number]),
            pitch=int(melody.pitch[number]),
            due_s=float(evidence.due_s[number]),
            due_end_s=float(due_end_s[number]),
            verdict="missing",
        )
        if own is not None or _is_voiced(note, track):
            note = _with_verdict(note, own, evidence.verdicts[number], track, followed.shift)
        if note.verdict in {"right", "wrong"}:
            note = _with_time(_pitched(note, own, track, followed.shift), evidence.late[number])
        notes.append(note)
    return Judgement(tuple(notes), _extra(melody, evidence, followed.shift), followed.shift, spread_s)


def _ends_s(melody: Melody, due_s: F64) -> F64:
    """Return when notes should end [s]: where the next is due; the last, after its written length at the mean tempo."""
    quarter_s = (due_s[-1] - due_s[0]) / max(float(melody.onset[-1] - melody.onset[0]), EPSILON)
    return np.append(due_s[1:], due_s[-1] + quarter_s * melody.duration[-1])


def _is_voiced(note: JudgedNote, track: PitchTrack) -> bool:
    """Return whether any pitch sounds about a note; where the take has ended, or pauses, it is missing."""
    return bool(track.is_voiced[_frames(note.due_s - BEFORE_S, note.due_end_s + AFTER_S)].any())


def _frames(start_s: float, end_s: float) -> slice:
    return slice(max(0, round(start_s / FRAME_S)), max(0, round(end_s / FRAME_S) + 1))


def _with_verdict(note: JudgedNote, own: HeardNote | None, chances: F64, track: PitchTrack, shift: float) -> JudgedNote:
    """Say what a note is, given the probabilities; one that no heard note belongs to is right only where it sounds."""
    first, second = (VERDICTS[place] for place in np.argsort(-chances, kind="stable")[:2])
    if chances.max() < SURE[first]:
        return replace(note, verdict="unsure", reason=REASONS[frozenset({first, second})])
    off = track.midi[_frames(note.due_s, note.due_end_s)] - shift - note.pitch
    n_near = int((np.abs((off + 6) % 12 - 6) <= OWN_SEMITONES).sum())
    if first == "right" and own is None and n_near < SHORTEST_FRAMES:
        return replace(note, verdict="unsure", reason=REASONS[frozenset({"right", "missing"})])
    return replace(note, verdict=first)


def _with_time(note: JudgedNote, late: F64) -> JudgedNote:
    """Say how late a note is, if it is clear whether it is late or early; `late` has the chance of each of LATE_S."""
    sides = {"on time": np.abs(LATE_S) < LATE_FROM_S, "late": LATE_S >= LATE_FROM_S, "early": LATE_S <= -LATE_FROM_S}
    chances = {name: float(late[side].sum()) for name, side in sides.items()}
    best = max(chances, key=lambda name: chances[name])
    if chances[best] < (ON_TIME_SURE if best == "on time" else LATE_SURE):
        return note
    late_s = float(late[sides[best]] @ LATE_S[sides[best]] / chances[best])
    return replace(note, late_s=late_s, is_off_time=best != "on time")


def _joined(heard: list[HeardNote], followed: Followed) -> list[HeardNote]:
    """Let notes that belong to a written one go on over the sounds of their pitch that belong to none."""
    own = set(followed.heard.tolist())
    joined = list(heard)
    for place in range(len(heard) - 2, -1, -1):
        note, after = joined[place], joined[place + 1]
        is_one = (
            place + 1 not in own and after.start_s - note.end_s < JOINED_S and abs(after.midi - note.midi) < SAME_PITCH
        )
        if is_one:
            longer = max(note, after, key=lambda it: it.end_s - it.start_s)
            whole = slice(note.frames.start, after.frames.stop)
            joined[place] = replace(note, end_s=after.end_s, midi=longer.midi, frames=whole)
    return joined


def _pitched(note: JudgedNote, own: HeardNote | None, track: PitchTrack, shift: float) -> JudgedNote:
    """Say what is heard of a note and how far off its pitch is, with vibrato and glide apart."""
    off = own.midi - shift - note.pitch if own else 0.0
    octaves = 12 * round(off / 12)  # trackers of pitch confuse octaves: nothing is said of them
    if own is None or (note.verdict == "right" and abs(off - octaves) > OWN_SEMITONES):
        return note
    note = replace(note, heard=own)
    midi = track.midi[own.frames]
    inside = np.flatnonzero(np.abs(midi - np.nanmedian(midi)) <= STEADY)
    if not len(inside):  # its frames are half of one pitch, half of another
        return note
    steady = midi[inside[0] : inside[-1] + 1]
    steady = steady[~np.isnan(steady)]
    if len(steady) < LEAST_STEADY:
        return note
    extent, rate_hz = vibrato(steady)
    trimmed = steady[1:-1]
    centre = float(np.mean(trimmed)) if extent else float(np.median(trimmed))
    return replace(
        note,
        cents=100 * (centre - shift - note.pitch - octaves),
        vibrato_cents=extent,
        vibrato_hz=rate_hz,
        glide_s=float(inside[0] * FRAME_S),
    )


def vibrato(midi: F64) -> tuple[float, float]:
    """
    Return extent [cents, half of peak to peak] and rate [Hz] of the vibrato of a steady note; zeros without.

    Args:
        midi: Pitch per frame of 16 ms [semitones], without gaps.
    """
    if len(midi) * FRAME_S < LEAST_VIBRATO_S:
        return 0.0, 0.0
    times = np.arange(len(midi)) * FRAME_S
    off = 100 * (midi - np.polyval(np.polyfit(times, midi, 2), times))
    rates = np.arange(VIBRATO_HZ[0], VIBRATO_HZ[1], 0.25)
    waves = np.exp(-2j * np.pi * rates[:, None] * times) @ off * 2 / len(off)
    best = int(np.abs(waves).argmax())
    extent = float(np.abs(waves[best]))
    is_vibrato = extent >= LEAST_VIBRATO_CENTS and extent**2 / 2 > 0.4 * np.var(off)
    return (extent, float(rates[best])) if is_vibrato else (0.0, 0.0)


def _extra(melody: Melody, evidence: Evidence, shift: float) -> tuple[ExtraNote, ...]:
    """Return the sounds that are extra notes; of several that begin together, the most probable."""
    extra: dict[int, ExtraNote] = {}
    starts_s = np.array([note.start_s for note in evidence.heard])
    for place in np.argsort(-evidence.extra, kind="stable").tolist():
        note = evidence.heard[place]
        is_new = all(abs(starts_s[other] - note.start_s) >= EXTRA_APART_S for other in extra)
        if evidence.extra[place] >= EXTRA_SURE and is_new:
            bar = int(melody.bar[max(0, int(np.searchsorted(evidence.due_s, note.start_s)) - 1)])
            extra[place] = ExtraNote(note, note.midi - shift, bar)
    return tuple(extra[place] for place in sorted(extra))
