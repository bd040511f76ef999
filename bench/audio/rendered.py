"""
Rendered music with exact labels, for training and evaluating the estimators of tempo, key, chords and beats.

Tunes come from the collections of `symbolic_melodies` (RECSYS_DATA) and are arranged and rendered by `recsys.synth`.
Tunes are split by a hash of their name and programs (MIDI instruments) by number, so that test pieces use tunes and
instruments that training never met. With balanced modes every second piece is minor (dorian and phrygian count as
minor).

Weights of this package may be trained only on collections whose licence permits it (`FREE`) and on made-up tunes, so
training and validation have no others; the test has all.

Some tunes are notated under the signature of another key, so their label is unreliable. Tunes that contradict their
label are left out: those that do not end on the tonic, those in which the third of the other mode sounds longer than
that of their own, and those in which their third sounds for less than 5 % of the time, so that their mode is open.
Tunes whose bar lines are not one bar apart are left out too, because their beats are not known.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from zlib import crc32

import numpy as np
import polars as pl
from scipy.signal import lfilter

from bench.audio.made_up import enriched, made_up
from bench.options import data_folder
from recsys.arrays import F32
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import Signal
from recsys.errors import InputError
from recsys.synth.abc import read_abc
from recsys.synth.arrange import FAMILIES, Arrangement, Harmony, Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import Tune

FILES = ("nottingham_abc.parquet", "music21_folk_abc.parquet")
FREE = {"airdsAirs", "oneills1850", "ryansMammoth"}  # collections of tunes that weights may be trained on and shipped
METRES = {(2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (12, 8)}  # other metres leave the beat ambiguous
PARTS = {"train": range(7), "validation": range(7, 8), "test": range(8, 10)}  # tenths of the tunes
HELD_BACK = frozenset(
    program for family in FAMILIES.values() for program in list(family)[-2:]
)  # for validation and test
MADE_UP_SHARE, ENRICHED_SHARE = 0.3, 0.3  # of the training pieces, and of those from collections
MADE_UP_MODES = ("major", "minor", "mixolydian", "dorian", "major", "minor", "lydian", "phrygian", "major", "minor")
DRIFT_SHARE, LARGEST_DRIFT, DRIFT_PERIOD_S = 0.3, 0.04, (8.0, 25.0)  # of the tempo of training pieces
CHUNK = 8  # pieces that a process takes at a time
LEAST_THIRD = 0.05  # share of the time in which the third of the key sounds
PIECE_S, SHORTEST_S = 30.0, 12.0


@dataclass(frozen=True)
class Piece:
    """
    A piece to render.

    Attributes:
        tune: The melody.
        seed: Seed of the arrangement, the excerpt and the noise.
        programs: MIDI programs that the arrangement may use.
        may_drift: Whether the tempo may drift.
    """

    tune: Tune
    seed: int
    programs: frozenset[int]
    may_drift: bool = False


@dataclass(frozen=True)
class Truth:
    """
    Labels of a rendered piece.

    Attributes:
        tempo_bpm: Tempo [beats/min].
        tonic: Pitch class of the tonic (0..11, C = 0).
        is_minor: Whether the key is minor.
        chords: Chords in order of start; gaps have none. None where a bass plays without an instrument for chords.
        beats_s, downbeats_s: Times of beats, and of the first beats of bars [s].
        n_beats: Beats per bar.
    """

    tempo_bpm: float
    tonic: int
    is_minor: bool
    chords: tuple[Harmony, ...] | None
    beats_s: tuple[float, ...]
    downbeats_s: tuple[float, ...]
    n_beats: int


def pieces(part: str, n: int, *, balanced_modes: bool = True, seed: int = 7) -> list[Piece]:
    """
    Draw pieces of a part.

    Args:
        part: 'train', 'validation' or 'test'.
        n: Number of pieces.
        balanced_modes: Alternate major and minor; otherwise draw modes at the rate of the collections.
        seed: Seed of the draw.
    """
    rng = np.random.default_rng([seed, crc32(part.encode())])
    of_part = _tunes(part)
    by_mode = [[tune for tune in of_part if tune.is_minor == is_minor] for is_minor in (False, True)]
    pools = by_mode if balanced_modes else [of_part]
    programs = frozenset(range(104)) - HELD_BACK if part == "train" else HELD_BACK
    drawn = []
    for number in range(n):
        if part == "train" and rng.random() < MADE_UP_SHARE:
            tune = made_up(f"made up {number}", rng, MADE_UP_MODES[number // 2 % len(MADE_UP_MODES)])
        else:
            pool = pools[number % len(pools)]
            tune = pool[rng.integers(len(pool))]
            tune = enriched(tune, rng) if part == "train" and rng.random() < ENRICHED_SHARE else tune
        drawn.append(Piece(tune, int(rng.integers(1 << 31)), programs, may_drift=part == "train"))
    return drawn


@cache
def _tunes(part: str) -> list[Tune]:
    return [tune for row in _rows(part) if (tune := _usable(row)) is not None]


def _rows(part: str) -> Iterator[dict[str, str]]:
    """Yield name and notation of the tunes of a part."""
    folder = data_folder() / "symbolic_melodies"
    for file in FILES:
        for row in pl.read_parquet(folder / file).iter_rows(named=True):
            name = f"{row['file']}/{row['x']}"
            is_free = part == "test" or row.get("collection") in FREE
            if is_free and crc32(name.encode()) % 10 in PARTS[part]:
                yield {"name": name, "abc": row["abc"]}


def _usable(row: dict[str, str]) -> Tune | None:
    try:
        tune = read_abc(row["abc"], row["name"])
    except InputError:
        return None
    is_long = tune.length >= 4 * tune.bar
    return tune if tune.metre in METRES and is_long and tune.has_regular_bars and _is_in_its_key(tune) else None


def _is_in_its_key(tune: Tune) -> bool:
    third, other_third = (3, 4) if tune.is_minor else (4, 3)
    durations = np.bincount(
        [(note.pitch - tune.tonic) % 12 for note in tune.notes], [note.duration for note in tune.notes], 12
    )
    has_third = durations[third] > max(durations[other_third], LEAST_THIRD * durations.sum())
    return (tune.notes[-1].pitch - tune.tonic) % 12 == 0 and bool(has_third)


def render_piece(piece: Piece) -> tuple[Signal, Truth]:
    """Render a piece at 22.05 kHz with the noise and tone colour of a recording; half of the pieces are excerpts."""
    rng = np.random.default_rng(piece.seed)
    played = arranged(piece, rng)
    sound = render(played, rate_hz=22_050, longest_s=PIECE_S)
    start_s, duration_s = excerpt(sound.shape[1] / 22_050, rng)
    start = round(start_s * 22_050)
    signal = Signal(recorded(sound[:, start : start + round(duration_s * 22_050)], rng), 22_050, "rendered", 0.0)
    return signal, truth_of(piece.tune, played, start_s, signal.duration_s)


def arranged(piece: Piece, rng: np.random.Generator) -> Arrangement:
    """Arrange a piece in a random style."""
    played = arrange(piece.tune, Style.random(rng, programs=piece.programs), rng, longest_s=PIECE_S)
    return _drifting(played, rng) if piece.may_drift and rng.random() < DRIFT_SHARE else played


def excerpt(length_s: float, rng: np.random.Generator) -> tuple[float, float]:
    """Draw the start and the length of what is heard of a piece: half of the pieces are heard in full [s]."""
    kept_s = min(length_s, rng.uniform(SHORTEST_S, PIECE_S)) if rng.random() < 0.5 else length_s
    return rng.uniform(0, length_s - kept_s), kept_s


def _drifting(played: Arrangement, rng: np.random.Generator) -> Arrangement:
    """Let the tempo rise and fall by up to 4 %, slowly."""
    period, phase = rng.uniform(*DRIFT_PERIOD_S), rng.uniform(0, 2 * np.pi)
    depth = rng.uniform(0, LARGEST_DRIFT) * period / (2 * np.pi)

    def moved(time_s: float) -> float:
        return float(time_s + depth * (np.sin(2 * np.pi * time_s / period + phase) - np.sin(phase)))

    return replace(
        played,
        events=tuple(
            event._replace(start_s=max(0.0, moved(event.start_s)), end_s=max(0.01, moved(event.end_s)))
            for event in played.events
        ),
        chords=tuple(chord._replace(start_s=moved(chord.start_s), end_s=moved(chord.end_s)) for chord in played.chords),
        beats_s=tuple(map(moved, played.beats_s)),
        downbeats_s=tuple(map(moved, played.downbeats_s)),
    )


def truth_of(tune: Tune, played: Arrangement, start_s: float, duration_s: float) -> Truth:
    """Return the labels of the excerpt of `duration_s` from `start_s`."""

    def within(times: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(time - start_s for time in times if 0 <= time - start_s < duration_s)

    chords: tuple[Harmony, ...] | None = None
    if played.style.chords != "none":
        chords = tuple(
            chord._replace(start_s=max(0.0, chord.start_s - start_s), end_s=min(duration_s, chord.end_s - start_s))
            for chord in played.chords
            if chord.end_s > start_s and chord.start_s - start_s < duration_s
        )
    elif not played.style.has_bass:
        chords = ()
    beats_s, downbeats_s = within(played.beats_s), within(played.downbeats_s)
    n_beats = round(tune.bar / tune.beat)
    return Truth(played.tempo_bpm, played.tonic, played.is_minor, chords, beats_s, downbeats_s, n_beats)


def recorded(sound: F32, rng: np.random.Generator) -> F32:
    """Tilt the spectrum slightly and add noise 20 to 50 dB below the music."""
    tilted = lfilter([1, rng.uniform(-0.4, 0.4)], [1], sound, axis=1)
    power = float(np.square(tilted).mean())
    noise = rng.standard_normal(tilted.shape) * np.sqrt(power * 10 ** (-rng.uniform(2, 5)))
    noisy: F32 = (tilted + noise).astype(np.float32)
    return noisy / np.float32(max(1.0, float(np.abs(noisy).max())))


def render_mono(piece: Piece) -> tuple[F32, Truth]:
    """Render a piece in the format that the estimators take: 16 kHz mono."""
    signal, truth = render_piece(piece)
    return signal.mono(RATE_HZ), truth


def map_in_parallel(function: object, pieces: list[Piece]) -> list[object]:
    """Call a picklable function on every piece, on all cores; return the results in order."""
    set_threads = partial(os.environ.__setitem__, "OMP_NUM_THREADS", "1")
    n_workers = max(1, min(os.cpu_count() or 1, len(pieces) // CHUNK))  # each loads the networks first
    with ProcessPoolExecutor(n_workers, initializer=set_threads) as pool:
        return list(pool.map(function, pieces, chunksize=CHUNK))  # type: ignore[arg-type]
