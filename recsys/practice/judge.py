"""
What is said of a take: each written note right, wrong, missing or unsure, its time and its cents; and extra notes.

Nothing is said where the alignment or the sound leaves doubt. Thresholds were chosen on made-up takes with planted
errors (`bench.practice`).
"""

from dataclasses import dataclass, replace

import numpy as np

from recsys.arrays import F64, Bool
from recsys.audio.pitch import FRAME_S, PitchTrack
from recsys.matching.tunes.melody import Melody
from recsys.practice.envelope import Spectra
from recsys.practice.follow import Followed
from recsys.practice.heard import HeardNote
from recsys.practice.presence import Presence

SURE = 0.7  # probability of a decision of the alignment
WRONG_SEMITONES, RIGHT_SEMITONES = 0.7, 0.55  # off the written pitch; between both, nothing is said
WRONG_PERIODICITY = 0.75  # of a wrong note, on average; below, its pitch is not clear
LATE_S = 0.085
SPREADS = 2.8  # a time off the curve counts from so many spreads of the take's onsets on
LEAST_EXTRA_S, EXTRA_OFF = 0.07, 0.35  # of an extra note: length, and the most that it is off a semitone
SAME_PITCH, PART_PITCH = 0.6, 0.75  # sounds so near are of one pitch, or parts of one sound [semitones]
JOINED_S, LONGEST_GLIDE_S = 0.05, 0.25  # between parts of a sound, and of a glide
CLEAR_SHARE, GLIDE_SHARE = 0.5, 0.3  # of the usual attack, in a beginning beyond doubt; and of that, where a glide ends
OUT_CENTS = 35.0
STEADY = 0.7  # frames before the first and after the last within this distance of the median are glides [semitones]
LEAST_STEADY = 5  # frames, for cents
VIBRATO_HZ = (4.0, 8.5)
LEAST_VIBRATO_S, LEAST_VIBRATO_CENTS = 0.35, 8.0
SEVERAL_WAYS = "the take can be read in several ways here"
SOFT_LIMITS = 1.6  # limits that a soft note must be off to count as late or early; below, it is left open
TIMED_ATTACK, UNCLEAR_S = 0.05, 0.06  # of a weaker attack, the time is unsure if it is further from the curve


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
        heard: The heard note; None if there is none.
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


def judge(melody: Melody, track: PitchTrack, heard: list[HeardNote], followed: Followed, sound: Spectra) -> Judgement:
    """Judge a take that was aligned to its score."""
    heard, is_clear = _with_onsets(_joined(heard, followed), followed, sound)
    start_s = np.array([note.start_s for note in heard])
    found = followed.heard >= 0
    late_s = np.where(found, start_s[followed.heard], np.nan) - followed.due_s
    late_s -= np.nanmedian(late_s)
    spread_s = float(1.4826 * np.nanmedian(np.abs(late_s)))
    limit_s = max(LATE_S, SPREADS * spread_s)
    pitch = np.asarray(melody.pitch + followed.shift, np.float64)
    presence = Presence.of(sound, heard, pitch, followed.due_s, followed.heard)
    due_end_s = np.append(followed.due_s[1:], followed.due_s[-1] + 0.5)
    notes = []
    for number in range(len(melody)):
        note = JudgedNote(
            number=number,
            bar=int(melody.bar[number]),
            pitch=int(melody.pitch[number]),
            due_s=float(followed.due_s[number]),
            due_end_s=float(due_end_s[number]),
            verdict="missing",
        )
        if found[number]:
            own = heard[followed.heard[number]]
            note = _pitched(replace(note, heard=own), track, followed.shift)
            note = _with_time(note, float(late_s[number]), limit_s, is_clear=bool(is_clear[followed.heard[number]]))
        elif reason := presence.doubt(number):
            note = replace(note, verdict="unsure", reason=reason)
        if followed.sureness[number] < SURE:
            note = replace(note, verdict="unsure", reason=SEVERAL_WAYS, is_off_time=False)
        notes.append(note)
    return Judgement(tuple(notes), _extra(melody, heard, followed), followed.shift, spread_s)


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


def _with_onsets(heard: list[HeardNote], followed: Followed, sound: Spectra) -> tuple[list[HeardNote], Bool]:
    """Look for soft beginnings in the harmonics of notes; return the notes, and whether their beginnings are clear."""
    is_clear = np.array([note.attack >= TIMED_ATTACK for note in heard])
    refined = list(heard)
    for place in followed.heard[followed.heard >= 0].tolist():
        note = heard[place]
        if not is_clear[place] and (onset_s := sound.onset_s(note.midi, note.start_s)) is not None:
            refined[place] = replace(note, start_s=min(onset_s, note.end_s - FRAME_S))
            is_clear[place] = True
    return refined, is_clear


def _with_time(note: JudgedNote, late_s: float, limit_s: float, *, is_clear: bool) -> JudgedNote:
    """Say how late a note is, if its beginning is heard."""
    assert note.heard is not None  # noqa: S101 - the caller found it
    is_soft = note.heard.attack < TIMED_ATTACK
    if (not is_clear and abs(late_s) > UNCLEAR_S) or (is_soft and limit_s < abs(late_s) < SOFT_LIMITS * limit_s):
        return note
    return replace(note, late_s=late_s, is_off_time=abs(late_s) > limit_s)


def _pitched(note: JudgedNote, track: PitchTrack, shift: float) -> JudgedNote:
    """Say how far off its pitch is, with vibrato and glide apart."""
    assert note.heard is not None  # noqa: S101 - the caller found it
    off = note.heard.midi - shift - note.pitch
    octaves = 12 * round(off / 12)  # trackers of pitch confuse octaves: nothing is said of them
    off -= octaves
    verdict = "wrong" if abs(off) > WRONG_SEMITONES else "right" if abs(off) < RIGHT_SEMITONES else "unsure"
    reason = "between two pitches" if verdict == "unsure" else ""
    if verdict == "wrong" and float(track.periodicity[note.heard.frames].mean()) < WRONG_PERIODICITY:
        verdict, reason = "unsure", "its pitch is not clear"
    midi = track.midi[note.heard.frames]
    note = replace(note, verdict=verdict, reason=reason)
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


def _extra(melody: Melody, heard: list[HeardNote], followed: Followed) -> tuple[ExtraNote, ...]:
    """Return sounds that belong to no written note, and are no glide, echo, or part of the sounds beside."""
    clear = CLEAR_SHARE * float(np.median([note.attack for note in heard]))
    extra = []
    for place, note in enumerate(heard):
        if followed.left_over[place] < SURE or note.end_s - note.start_s < LEAST_EXTRA_S:
            continue
        semitones = note.midi - followed.shift
        if abs(semitones - round(semitones)) > EXTRA_OFF or _is_of_another(heard, place, clear):
            continue  # off a semitone is a glide, or two sounds at once
        bar = int(melody.bar[max(0, int(np.searchsorted(followed.due_s, note.start_s)) - 1)])
        extra.append(ExtraNote(note, semitones, bar))
    return tuple(extra)


def _is_of_another(heard: list[HeardNote], place: int, clear: float) -> bool:
    """Return whether a sound is part of the one before, an echo, or the glide into the one after."""
    note = heard[place]
    far = [abs((note.midi - other.midi + 6) % 12 - 6) for other in heard[max(0, place - 2) : place]]
    sounds_on = bool(far) and far[-1] < PART_PITCH
    echoes = len(far) > 1 and far[0] < SAME_PITCH and note.attack < clear
    after = heard[place + 1] if place + 1 < len(heard) else None
    glides = after is not None and after.start_s - note.end_s < JOINED_S and after.attack < GLIDE_SHARE * clear
    return sounds_on or echoes or (glides and note.end_s - note.start_s < LONGEST_GLIDE_S)
