"""
Made-up takes of written tunes with planted errors, and the truth about every note.

A take has a player's timing (a tempo curve of 8 %, jitter of 25 ms), intonation (drift of 15 cents, notes off by
themselves, vibrato on long notes), often another key, octave or tuning, a room, and pink noise. Planted are wrong,
missing, extra, late and early notes. Tunes, instruments and rooms differ between the two halves for choosing settings
and for the test, and the third part, from which the networks learn.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from recsys.arrays import F32, F64, I64, Bool
    from recsys.matching.tunes.melody import Melody

Half = Literal["tune", "test", "train"]
RATE_HZ = 44_100
OTHERS = (
    "1 2 3 5 6 7 9 12 15 16 19 20 21 22 23 26 27 28 29 30 44 46 48 49 50 54 59 61 63 "
    "69 72 75 77 78 79 80 81 82 85 89 104 105 106 107 108 110 111"
)
INSTRUMENTS: dict[Half, dict[int, int]] = {  # MIDI program and the pitch around which it plays
    "tune": {40: 70, 56: 67, 73: 76, 24: 60, 0: 64, 52: 64, 66: 57, 11: 69},
    "test": {41: 62, 42: 50, 65: 64, 68: 70, 71: 64, 60: 55, 25: 57, 4: 62, 53: 66, 74: 76},
    "train": {
        **dict.fromkeys(map(int, OTHERS.split()), 64),
        32: 40,
        33: 40,
        43: 45,
        47: 50,
        57: 58,
        58: 48,
        67: 50,
        70: 48,
        109: 66,
    },
}
DECAYS_S: dict[Half, tuple[float, ...]] = {
    "tune": (0.15, 0.3, 0.5, 0.8),
    "test": (0.2, 0.4, 0.6, 1.0),
    "train": tuple(np.linspace(0.12, 1.1, 12)),
}  # RT60
ROOM_DB, NOISE_DB = (-18, -6), (20, 40)  # reverberation below the sound, sound above the noise
BEAT_S = (0.45, 0.75)  # length of a crotchet
CURVE, JITTER_S, DRIFT_CENTS, NOTE_CENTS, VIBRATO_CENTS = 0.08, 0.025, 15.0, 15.0, (20.0, 40.0)
OUT_OF_TUNE, OUT_CENTS = 0.05, (40.0, 70.0)
WRONG, MISSING, EXTRA, MOVED = 0.05, 0.04, 0.04, 0.15  # shares of the notes
MOVED_S = (0.10, 0.25)
LEAST_S = 0.12  # what an error leaves of a note and its neighbours
EXTRA_IN_S = 0.34  # a note that is so long may be followed by an extra one
BASE_S = 0.4  # silence at the beginning


class Played(NamedTuple):
    """Start and end [s] and pitch of what sounds."""

    start_s: float
    end_s: float
    pitch: float


@dataclass(frozen=True, eq=False)
class Take:
    """
    A take and its truth, by written note.

    Attributes:
        melody: What is written.
        kind: The MIDI program, or the voice.
        mono: Sound, full scale -1..1.
        rate_hz: Its sampling rate [Hz].
        is_missing, is_wrong: Whether a note is. Shape (n,).
        start_s, off_s: Where it begins, and how much later than by the tempo curve [s]; NaN: missing. Shape (n,).
        off_cents: Pitch that it has, off the written one [cents], with key and tuning. Shape (n,).
        extra_s: Where extra notes begin [s].
    """

    melody: "Melody"
    kind: str
    mono: "F32"
    rate_hz: int
    is_missing: "Bool"
    is_wrong: "Bool"
    start_s: "F64"
    off_s: "F64"
    off_cents: "F64"
    extra_s: "F64"


@dataclass(frozen=True, eq=False)
class _Plan:
    """Truth by note as in `Take`, before the speed of the recording varies, and what sounds."""

    melody: "Melody"
    is_missing: "Bool"
    is_wrong: "Bool"
    off_s: "F64"
    key: float
    note_cents: "F64"
    played: list[Played]
    number: "I64"  # of what sounds: the written note, -1: extra


def passage(melody: "Melody", n_notes: int) -> "Melody":
    """Return the first notes of a melody."""
    first = float(melody.onset[0])
    return replace(
        melody,
        onset=melody.onset[:n_notes] - first,
        duration=melody.duration[:n_notes],
        pitch=melody.pitch[:n_notes],
        bar=melody.bar[:n_notes],
    )


def _plan(melody: "Melody", centre: int, rng: np.random.Generator, share: float) -> _Plan:
    n = len(melody)
    due_s, ends_s = _performed(melody, rng)
    is_inner = (np.arange(n) > 0) & (np.arange(n) < n - 1)
    fate = np.where(is_inner, rng.random(n), 1.0)
    is_missing = fate < MISSING * share
    is_wrong = (fate >= MISSING * share) & (fate < (MISSING + WRONG) * share)
    off_s = np.clip(rng.normal(0, JITTER_S, n), -2.5 * JITTER_S, 2.5 * JITTER_S)
    moved = (fate > 1 - MOVED * share) & is_inner
    planted = rng.choice([-1, 1], n) * rng.uniform(*MOVED_S, n)
    gaps = np.diff(due_s)
    room = np.where(planted > 0, np.append(gaps, 9), np.insert(gaps, 0, 9)) - LEAST_S - 3 * JITTER_S
    moved &= np.abs(planted) < room
    moved[1:] &= ~moved[:-1]
    off_s = off_s + np.where(moved, planted, 0)
    start_s = due_s + off_s
    jump = np.where(rng.random(n) < 0.5, -1, 1) * rng.integers(1, 5, n)
    octave = 12 * round((centre - float(np.median(melody.pitch))) / 12)
    key = octave + (int(rng.integers(-5, 6)) if rng.random() < 0.3 else 0)
    pitch = melody.pitch + key + np.where(is_wrong, jump, 0)
    end_s = np.maximum(np.minimum(ends_s + off_s, np.append(start_s[1:], np.inf) - 0.01), start_s + 0.06)
    end_s = _prolonged(start_s, end_s, is_missing, rng)
    played = [Played(*it) for it in zip(start_s, end_s, pitch, strict=True)]
    number = np.arange(n)
    kept = ~is_missing
    sounding = [it for it, keep in zip(played, kept, strict=True) if keep]
    sounding, number = _with_extra(sounding, number[kept], rng, EXTRA * share)
    cents = rng.normal(0, NOTE_CENTS, n)
    out = (rng.random(n) < OUT_OF_TUNE * share) & ~is_wrong
    cents = np.where(out, rng.choice([-1, 1], n) * rng.uniform(*OUT_CENTS, n), np.clip(cents, -30, 30))
    return _Plan(melody, is_missing, is_wrong, off_s, key, cents, sounding, number)


def _performed(melody: "Melody", rng: np.random.Generator) -> tuple["F64", "F64"]:
    """Return when notes are due by the tempo curve, and when they end [s]."""
    grid = np.arange(0, melody.length + 1, 1 / 24)
    period, phase = rng.uniform(12, 40), rng.uniform(0, 2 * np.pi)
    speed = 1 + CURVE * np.sin(2 * np.pi * grid / period + phase)
    time_s = BASE_S + np.concatenate([[0], np.cumsum(speed)[:-1]]) / 24 * rng.uniform(*BEAT_S)
    due_s = np.interp(melody.onset, grid, time_s)
    legato = rng.uniform(0.8, 1.0)
    ends_s = due_s + legato * (np.interp(melody.onset + melody.duration, grid, time_s) - due_s)
    return due_s, ends_s


def _prolonged(start_s: "F64", end_s: "F64", is_missing: "Bool", rng: np.random.Generator) -> "F64":
    """Let half of the notes before a missing one sound until the next."""
    ends = end_s.copy()
    for place in np.flatnonzero(is_missing):
        if rng.random() < 0.5 and not is_missing[place - 1]:
            following = start_s[place + 1 :][~is_missing[place + 1 :]]
            ends[place - 1] = following[0] - 0.02
    return ends


def _with_extra(
    sounding: list[Played], number: "I64", rng: np.random.Generator, share: float
) -> tuple[list[Played], "I64"]:
    """Let notes give their last part to an extra one, a step or two away."""
    notes: list[Played] = []
    numbers: list[int] = []
    n_long = sum(it.end_s - it.start_s >= EXTRA_IN_S for it in sounding)
    chance = share * len(sounding) / max(1, n_long)
    for note, written in zip(sounding, number.tolist(), strict=True):
        length_s = note.end_s - note.start_s
        if length_s >= EXTRA_IN_S and rng.random() < chance:
            middle_s = note.start_s + rng.uniform(0.5, 1 - 0.13 / length_s) * length_s
            notes += [note._replace(end_s=middle_s - 0.01)]
            notes += [Played(middle_s, note.end_s, note.pitch + int(rng.choice([-4, -3, -2, -1, 1, 2, 3, 4])))]
            numbers += [written, -1]
        else:
            notes.append(note)
            numbers.append(written)
    return notes, np.array(numbers)


def make_take(melody: "Melody", half: Half, rng: np.random.Generator, *, errors: float) -> Take:
    """Render a take of a melody by an instrument of a half, with so many times the usual share of errors."""
    from bench.studio.takes import played_alone
    from recsys.synth.arrange import Event

    program = int(rng.choice(list(INSTRUMENTS[half])))
    plan = _plan(melody, INSTRUMENTS[half][program], rng, errors)
    loud = rng.integers(70, 110, len(plan.played)).tolist()
    events = [Event(it.start_s, it.end_s, 0, int(it.pitch), v) for it, v in zip(plan.played, loud, strict=True)]
    plain = played_alone(tuple(events), program, RATE_HZ).mean(axis=0)
    time_s = np.arange(len(plain)) / RATE_HZ
    off, means = _intonation(plan, time_s, rng)
    read_s = np.concatenate([[0.0], np.cumsum(2 ** (off / 1200))[:-1]]) / RATE_HZ  # of the new time, in the old
    mono = np.interp(read_s[read_s < time_s[-1]], time_s, plain)
    moved = np.interp([it.start_s for it in plan.played], read_s, time_s)
    return _finished(plan, str(program), _in_room(mono, half, rng), RATE_HZ, moved, means)


def make_voice_take(melody: "Melody", rng: np.random.Generator, *, errors: float) -> Take:
    """Let a voice of eSpeak NG sing a melody on syllables, in a room of the half `test`; errors as in `make_take`."""
    from bench.studio.takes import CENTRES, UNVOICED, VOICED, VOICES, PlannedNote, sung
    from bench.studio.takes import RATE_HZ as VOICE_HZ

    voice = str(rng.choice(VOICES))
    plan = _plan(melody, CENTRES[voice.split("+")[1][0]], rng, errors)
    syllables = rng.choice(VOICED + UNVOICED, len(plan.played))
    notes = tuple(
        PlannedNote(it.start_s, it.end_s, int(it.pitch), str(syllable))
        for it, syllable in zip(plan.played, syllables, strict=True)
    )
    time_s = np.arange(round((notes[-1].end_s + 0.4) * VOICE_HZ)) / VOICE_HZ
    off, means = _intonation(plan, time_s, rng)
    starts = [it.start_s for it in plan.played]
    pitch = np.array([it.pitch for it in plan.played])[np.clip(np.searchsorted(starts, time_s, "right") - 1, 0, None)]
    _, samples = sung(voice, notes, 440 * 2 ** ((pitch + off / 100 - 69) / 12), rng)
    mono = _in_room(samples[0].astype(float), "test", rng, VOICE_HZ)
    return _finished(plan, voice, mono, VOICE_HZ, np.array(starts), means)


def _finished(plan: _Plan, kind: str, mono: "F64", rate_hz: int, moved: "F64", means: "F64") -> Take:
    """Return the take with its truth, given where and how high [cents] what sounds begins and is."""
    start_s = np.full(len(plan.melody), np.nan)
    cents = start_s.copy()
    is_own = plan.number >= 0
    start_s[plan.number[is_own]] = moved[is_own]
    cents[plan.number[is_own]] = means[is_own]
    return Take(
        plan.melody,
        kind,
        np.asarray(mono, np.float32),
        rate_hz,
        plan.is_missing,
        plan.is_wrong,
        start_s,
        np.where(plan.is_missing, np.nan, plan.off_s),
        cents,
        moved[~is_own],
    )


def _intonation(plan: _Plan, time_s: "F64", rng: np.random.Generator) -> tuple["F64", "F64"]:
    """Return cents off the key at each time, and of what sounds, its mean off the written pitch [cents]."""
    from scipy.ndimage import uniform_filter1d

    tuning = rng.uniform(-25, 25)
    drift = rng.uniform(-DRIFT_CENTS, DRIFT_CENTS) * (time_s / time_s[-1] - 0.5)
    off, means = tuning + drift, []
    rate_hz = 1 / (time_s[1] - time_s[0])
    has_vibrato = rng.random() < 0.5
    for note, number in zip(plan.played, plan.number, strict=True):
        inside = slice(round(note.start_s * rate_hz), round(note.end_s * rate_hz))
        own = float(plan.note_cents[number]) if number >= 0 else 0.0
        off[inside] += own
        means.append(100 * plan.key + own + tuning + float(np.interp((note.start_s + note.end_s) / 2, time_s, drift)))
        if has_vibrato and note.end_s - note.start_s > 0.45:
            swell = np.clip(np.linspace(-1, 3, inside.stop - inside.start), 0, 1)
            wave = np.sin(2 * np.pi * rng.uniform(5, 6.2) * time_s[inside])
            off[inside] += rng.uniform(*VIBRATO_CENTS) * (swell * wave)[: len(off[inside])]
    return uniform_filter1d(off, round(0.02 * rate_hz)), np.array(means)


def _in_room(mono: "F64", half: Half, rng: np.random.Generator, rate_hz: int = RATE_HZ) -> "F64":
    """Add the reverberation of a room and pink noise."""
    from scipy.signal import fftconvolve

    decay_s = float(rng.choice(DECAYS_S[half]))
    time_s = np.arange(int(decay_s * rate_hz)) / rate_hz
    tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / decay_s)
    tail *= 10 ** (rng.uniform(*ROOM_DB) / 20) / np.sqrt(np.square(tail).sum())
    wet = mono + fftconvolve(mono, tail)[: len(mono)]
    n = len(wet)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / np.sqrt(np.arange(1, n // 2 + 2)), n)
    gain = 10 ** (-rng.uniform(*NOISE_DB) / 20) * np.sqrt(np.square(wet).mean() / np.square(noise).mean())
    noisy = wet + gain * noise
    return np.asarray(0.7 * noisy / np.abs(noisy).max())
