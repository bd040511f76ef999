"""
Rendered music with exact labels, for training and evaluating the estimators of tempo and key.

Tunes come from the collections of `symbolic_melodies` (RECSYS_DATA) and are arranged and rendered by `recsys.synth`.
Tunes are split by a hash of their name and programs (MIDI instruments) by number, so that test pieces use tunes and
instruments that training never met. With balanced modes every second piece is minor (dorian and phrygian count as
minor).

Some tunes are notated under the signature of another key, so their label is unreliable. Tunes that contradict their
label are left out: those that do not end on a note of the tonic chord, and those in which the third of the other mode
sounds longer than that of their own.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np
import polars as pl
from scipy.signal import lfilter

from bench.options import data_folder
from recsys.arrays import F32
from recsys.audio.mel import RATE_HZ
from recsys.audio.signal import Signal
from recsys.errors import InputError
from recsys.synth.abc import read_abc
from recsys.synth.arrange import FAMILIES, Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import Tune, compose

FILES = ("nottingham_abc.parquet", "music21_folk_abc.parquet")
METRES = {(2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (12, 8)}  # other metres leave the beat ambiguous
PARTS = {"train": range(7), "validation": range(7, 8), "test": range(8, 10)}  # tenths of the tunes
HELD_BACK = frozenset(
    program for family in FAMILIES.values() for program in list(family)[-2:]
)  # for validation and test
MADE_UP_SHARE = 0.35  # of the training pieces
PIECE_S, SHORTEST_S = 30.0, 12.0


@dataclass(frozen=True)
class Piece:
    """
    A piece to render.

    Attributes:
        tune: The melody.
        seed: Seed of the arrangement, the excerpt and the noise.
        programs: MIDI programs that the arrangement may use.
    """

    tune: Tune
    seed: int
    programs: frozenset[int]


@dataclass(frozen=True)
class Truth:
    """Labels of a rendered piece: tempo [beats/min], pitch class of the tonic (0..11, C = 0), whether it is minor."""

    tempo_bpm: float
    tonic: int
    is_minor: bool


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
    of_part = [tune for tune in _tunes() if crc32(tune.name.encode()) % 10 in PARTS[part]]
    by_mode = [[tune for tune in of_part if tune.is_minor == is_minor] for is_minor in (False, True)]
    pools = by_mode if balanced_modes else [of_part]
    programs = frozenset(range(104)) - HELD_BACK if part == "train" else HELD_BACK
    drawn = []
    for number in range(n):
        if part == "train" and rng.random() < MADE_UP_SHARE:
            tune = compose(f"made up {number}", rng, mode=("major", "minor", "mixolydian", "dorian")[number % 4])
        else:
            pool = pools[number % len(pools)]
            tune = pool[rng.integers(len(pool))]
        drawn.append(Piece(tune, int(rng.integers(1 << 31)), programs))
    return drawn


def _tunes() -> Iterator[Tune]:
    folder = data_folder() / "symbolic_melodies"
    for file in FILES:
        for row in pl.read_parquet(folder / file).iter_rows(named=True):
            try:
                tune = read_abc(row["abc"], f"{row['file']}/{row['x']}")
            except InputError:
                continue
            if tune.metre in METRES and tune.length >= 4 * tune.bar and _is_in_its_key(tune):
                yield tune


def _is_in_its_key(tune: Tune) -> bool:
    third, other_third = (3, 4) if tune.is_minor else (4, 3)
    durations = np.bincount(
        [(note.pitch - tune.tonic) % 12 for note in tune.notes], [note.duration for note in tune.notes], 12
    )
    return (tune.notes[-1].pitch - tune.tonic) % 12 in {0, third, 7} and durations[third] > durations[other_third]


def render_piece(piece: Piece) -> tuple[Signal, Truth]:
    """Render a piece at 22.05 kHz with the noise and tone colour of a recording; half of the pieces are excerpts."""
    rng = np.random.default_rng(piece.seed)
    style = Style.random(rng, programs=piece.programs)
    played = arrange(piece.tune, style, rng, longest_s=PIECE_S)
    sound = render(played, rate_hz=22_050, longest_s=PIECE_S)
    n = sound.shape[1]
    kept = int(rng.uniform(SHORTEST_S, PIECE_S) * 22_050) if rng.random() < 0.5 else n
    start = int(rng.integers(max(1, n - kept)))
    signal = Signal(recorded(sound[:, start : start + kept], rng), 22_050, "rendered", 0.0)
    return signal, Truth(played.tempo_bpm, played.tonic, played.is_minor)


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
    with ProcessPoolExecutor(initializer=partial(os.environ.__setitem__, "OMP_NUM_THREADS", "1")) as pool:
        return list(pool.map(function, pieces, chunksize=8))  # type: ignore[arg-type]
