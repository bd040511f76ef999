"""
Made-up takes of one voice with known faults: rendered instruments, and eSpeak NG made to sing.

A take is a composed tune, sung in a free tempo: each note is off by up to 80 cents, drifts, may have vibrato, and is
reached by a glide where no consonant comes before it. Voices are resynthesised: syllables of eSpeak NG give the vocal
tract (linear prediction) and the consonants, and a band-limited train of pulses of the planned pitch the voice, so that
pitch, vowels and unvoiced sound are known exactly. Instruments are rendered, then read at a varying speed.
"""

import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter
from scipy.signal.windows import hann

from bench.audio.speech import is_installed
from bench.options import Missing
from recsys.arrays import F32, F64, Bool
from recsys.studio.voice.scores import Score, ScoreNote
from recsys.synth.arrange import Arrangement, Event, Style
from recsys.synth.render import render
from recsys.synth.tune import compose

RATE_HZ = 22_050  # of eSpeak NG
INSTRUMENTS = (40, 41, 42, 52, 53, 56, 60, 65, 68, 70, 71, 73)  # sustained: bowed strings, voices, brass, wood
VOICES = ("en+m1", "en+m3", "en+m7", "en+f2", "en+f4", "en-us+f5")
CENTRES = {"m": 50, "f": 60}  # MIDI pitch around which a voice sings
VOICED, UNVOICED = ("la", "no", "may", "ree", "woo"), ("sah", "fee", "shoo", "tay", "hoe")
ORDER = 22  # of the linear prediction
FRAME, HOP = 551, 110  # 25 ms and 5 ms
MAX_OFF_CENTS, MAX_DRIFT_CENTS = 80.0, 30.0
GLIDE_S, VIBRATO_HZ = 0.06, 5.5
ONSET = 220  # samples before the first periodic frame, in which the voice may have begun: no part of the consonant
CROTCHET_S = 0.5


@dataclass(frozen=True)
class PlannedNote:
    """A note of a take: start and end of its pitch [s], MIDI pitch of the score, and its syllable."""

    start_s: float
    end_s: float
    pitch: int
    syllable: str


@dataclass(frozen=True, eq=False)
class Take:
    """
    A take and its truth.

    Attributes:
        kind: "instrument" or "voice".
        samples: Shape (1, n), float32.
        rate_hz: Sampling rate [Hz].
        score: The score, in its own time.
        key: Its key, as `recsys tune-vocal --key` takes it.
        notes: What is sung where.
        planned_cents: Planned pitch off the score, of each note [cents]: its mean.
        is_unvoiced: Whether a sample is silence or a consonant, at least 10 ms from the voice. Shape (n,).
    """

    kind: str
    samples: F32
    rate_hz: int
    score: Score
    key: str
    notes: tuple[PlannedNote, ...]
    planned_cents: F64
    is_unvoiced: Bool


def _plan(rng: np.random.Generator, centre: int, n_notes: int) -> tuple[Score, str, tuple[PlannedNote, ...]]:
    """Plan a take around a MIDI pitch; the score stays in its own octave."""
    tune = compose("take", rng)
    written = tune.notes[:n_notes]
    shift = 12 * round((centre - float(np.median([note.pitch for note in written]))) / 12)
    score = Score(tuple(ScoreNote(note.onset, note.onset + note.duration, note.pitch) for note in written))
    names = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
    key = names[tune.tonic] + {"major": "", "minor": "m"}.get(tune.mode, tune.mode[:3])
    time_s, notes = 0.3, []
    for note in written:
        length_s = note.duration * CROTCHET_S * rng.uniform(0.9, 1.1)
        syllable = str(rng.choice(VOICED if rng.random() < 0.5 else UNVOICED))
        notes.append(PlannedNote(time_s, time_s + length_s, note.pitch + shift, syllable))
        time_s += length_s
    return score, key, tuple(notes)


def _off_cents(rng: np.random.Generator, notes: tuple[PlannedNote, ...], times: F64) -> tuple[F64, F64]:
    """Return what is planted: cents off the score at each time and each note's mean."""
    off, means = np.zeros(len(times)), []
    for note in notes:
        inside = (times >= note.start_s) & (times < note.end_s)
        share = (times[inside] - note.start_s) / (note.end_s - note.start_s) - 0.5
        mean = rng.uniform(-MAX_OFF_CENTS, MAX_OFF_CENTS)
        means.append(mean)
        off[inside] = mean + rng.uniform(-MAX_DRIFT_CENTS, MAX_DRIFT_CENTS) * share
        if note.end_s - note.start_s > 0.6:
            onset = np.clip(4 * (share + 0.25), 0, 1)  # vibrato sets in after a quarter of the note
            off[inside] += onset * rng.uniform(25, 45) * np.sin(2 * np.pi * VIBRATO_HZ * times[inside])
    return off, np.array(means)


def instrument_take(seed: int, n_notes: int) -> Take:
    """Render an instrument with planted faults: its recording is read at the speed that gives them."""
    rng = np.random.default_rng([11, seed])
    rate_hz, program = 44_100, int(INSTRUMENTS[seed % len(INSTRUMENTS)])
    score, key, notes = _plan(rng, {42: 48, 70: 48, 60: 53}.get(program, 67), n_notes)
    events = tuple(Event(it.start_s, it.end_s - 0.04, 0, it.pitch, int(rng.integers(70, 110))) for it in notes)
    played = played_alone(events, program, rate_hz)
    mono = played.mean(axis=0)
    times = np.arange(len(mono)) / rate_hz
    off, means = _off_cents(rng, notes, times)
    smooth = np.convolve(off, hann(int(0.02 * rate_hz)) / hann(int(0.02 * rate_hz)).sum(), "same")
    read_s = np.concatenate([[0.0], np.cumsum(2 ** (smooth / 1200))[:-1]]) / rate_hz  # of the new time, in the old
    n = int(np.searchsorted(read_s, times[-1]))
    samples = CubicSpline(times, mono)(read_s[:n]).astype(np.float32)[None]
    moved = np.interp([[it.start_s, it.end_s] for it in notes], read_s, times)
    planned = tuple(PlannedNote(a, b, it.pitch, "") for (a, b), it in zip(moved, notes, strict=True))
    return Take("instrument", samples, rate_hz, score, key, planned, means, np.zeros(n, np.bool_))


def played_alone(events: tuple[Event, ...], program: int, rate_hz: int) -> F32:
    """Render events of one instrument, and of drums on channel 9; shape (2, n)."""
    style = Style(
        tempo_bpm=120,
        transpose=0,
        melody=program,
        harmony=0,
        bass=33,
        chords="none",
        has_bass=False,
        has_drums=False,
    )
    whole = Arrangement(events, {0: program}, style, 120, 0, is_minor=False)
    return render(whole, rate_hz=rate_hz, longest_s=120)


@dataclass(frozen=True, eq=False)
class _Syllable:
    """Consonant [samples] before the vowel, and coefficients (n_frames, ORDER + 1) and gains of the vowel."""

    consonant: F64
    filters: F64
    gains: F64


def voice_take(seed: int, n_notes: int) -> Take:
    """Let a voice of eSpeak NG sing, with planted faults."""
    rng = np.random.default_rng([13, seed])
    voice = VOICES[seed % len(VOICES)]
    score, key, notes = _plan(rng, CENTRES[voice.split("+")[1][0]], n_notes)
    n = round((notes[-1].end_s + 0.3) * RATE_HZ)
    times = np.arange(n) / RATE_HZ
    off, means = _off_cents(rng, notes, times)
    pitch = np.zeros(n)
    for note in notes:
        pitch[(times >= note.start_s) & (times < note.end_s)] = note.pitch
    pitch = np.where(pitch > 0, pitch + off / 100, np.nan)
    pitch = np.interp(times, times[~np.isnan(pitch)], pitch[~np.isnan(pitch)])
    window = hann(int(GLIDE_S * RATE_HZ))
    pitch = np.convolve(np.pad(pitch, len(window), "edge"), window / window.sum(), "same")[len(window) : -len(window)]
    is_voiced, samples = sung(voice, notes, 440 * 2 ** ((pitch - 69) / 12), rng)
    margin = int(0.01 * RATE_HZ)
    near = np.convolve(is_voiced.astype(float), np.ones(2 * margin + 1), "same") > 0.5
    return Take("voice", samples, RATE_HZ, score, key, notes, means, ~near)


def sung(voice: str, notes: tuple[PlannedNote, ...], f0_hz: F64, rng: np.random.Generator) -> tuple[Bool, F32]:
    """Return which samples are voiced, and the singing of notes at a pitch per sample [Hz], shape (1, n)."""
    n = len(f0_hz)
    phase = np.cumsum(f0_hz) / RATE_HZ
    n_harmonics = np.floor(0.45 * RATE_HZ / f0_hz)
    sine = np.sin(np.pi * phase)
    n_lines = 2 * n_harmonics + 1
    is_regular = np.abs(sine) > 1e-6
    pulses = np.where(is_regular, np.sin(n_lines * np.pi * phase) / np.where(is_regular, sine, 1), n_lines)
    pulses *= np.sqrt(f0_hz) / RATE_HZ  # equal power at every pitch
    pulses += 2e-3 * rng.standard_normal(n) * np.sqrt(np.mean(pulses**2))  # breath
    voiced, wave, state = np.zeros(n, np.bool_), np.zeros(n), np.zeros(ORDER)
    consonants = np.zeros(n)
    for note in notes:
        syllable = _syllable(voice, note.syllable)
        start, end = round(note.start_s * RATE_HZ), round(note.end_s * RATE_HZ)
        n_consonant = min(len(syllable.consonant), (end - start) // 3)
        consonants[start : start + n_consonant] += syllable.consonant[:n_consonant]
        first = start + n_consonant
        voiced[first:end] = True
        for begin in range(first, end, HOP):
            stop = min(begin + HOP, end)
            frame = int((begin - first) / (end - first) * len(syllable.gains))
            edge = min(1.0, (begin - first + HOP) / (4 * HOP), (end - begin) / (4 * HOP)) if n_consonant else 1.0
            driven = pulses[begin:stop] * syllable.gains[frame] * edge
            wave[begin:stop], state = lfilter([1.0], syllable.filters[frame], driven, zi=state)
        if end < n:
            tail = min(HOP, n - end)
            wave[end : end + tail], _ = lfilter([1.0], syllable.filters[-1], np.zeros(tail), zi=state)
    wave = lfilter([1.0], [1.0, -0.97], wave)
    voiced |= np.abs(wave) > 1e-5 * np.abs(wave).max()
    mixed = wave / np.sqrt(np.mean(wave[voiced] ** 2)) * 0.08 + consonants
    return voiced, (mixed / max(1.0, np.abs(mixed).max()))[None].astype(np.float32)


@cache
def _syllable(voice: str, text: str) -> _Syllable:
    """Speak a syllable and analyse its vowel."""
    if not is_installed():
        raise Missing("espeak-ng is not on the PATH. Install it (Debian: espeak-ng), and run again")
    from soundfile import read

    with TemporaryDirectory() as folder:
        path = Path(folder) / "syllable.wav"
        command = ["espeak-ng", "-v", voice, "-s", "90", "-p", "40", "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)
        spoken, _ = read(path)
    spoken = spoken / np.sqrt(np.mean(spoken[np.abs(spoken) > 0.01] ** 2)) * 0.08
    starts = np.arange(0, len(spoken) - FRAME, HOP)
    frames = np.stack([spoken[start : start + FRAME] for start in starts])
    is_voiced = np.array([_is_periodic(frame) for frame in frames])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_voiced.astype(int), [0]]))).reshape(-1, 2)
    first, last = max(edges, key=lambda edge: edge[1] - edge[0])
    middle = frames[first + (last - first) // 3 : max(first + (last - first) // 3 + 1, last - (last - first) // 4)]
    predicted = [linear_prediction(np.append(frame[0], frame[1:] - 0.97 * frame[:-1])) for frame in middle]
    consonant = spoken[: max(0, starts[first] - ONSET)] if text in UNVOICED else spoken[:0]
    loud = np.flatnonzero(np.abs(consonant) > 0.003)
    trimmed = consonant[max(loud[0], len(consonant) - int(0.12 * RATE_HZ)) :] if len(loud) else consonant[:0]
    return _Syllable(
        trimmed, np.stack([filter_ for filter_, _ in predicted]), np.array([gain for _, gain in predicted])
    )


def _is_periodic(frame: F64) -> bool:
    if np.sqrt(np.mean(frame**2)) < 0.01:
        return False
    lags = np.arange(len(frame))
    correlation = np.correlate(frame, frame, "full")[len(frame) - 1 :] / (len(frame) - lags)
    return float(correlation[RATE_HZ // 400 : RATE_HZ // 70].max() / correlation[0]) > 0.5


def linear_prediction(frame: F64, order: int = ORDER) -> tuple[F64, float]:
    """Return the prediction filter of a frame, (1, -a1, ...), and the root of its error's power."""
    windowed = frame * hann(len(frame))
    correlation = np.array([windowed[: len(windowed) - lag] @ windowed[lag:] for lag in range(order + 1)])
    correlation[0] *= 1 + 1e-6
    coefficients = solve_toeplitz(correlation[:-1], correlation[1:])
    error = max(correlation[0] - coefficients @ correlation[1:], 0.0) / np.sum(hann(len(frame)) ** 2)
    return np.concatenate([[1.0], -coefficients]), float(np.sqrt(error))
