"""
What is looked for, and among what: real recordings by part, rendered pieces, and pieces cut out of both and distorted.

Rendered strangers of the test are other tunes on other instruments than those of the calibration, and the index holds
renders of both kinds: otherwise a render would be told from a use by its instruments alone.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np

from bench.audio.recordings import noises, recordings
from bench.audio.rendered import Piece, mono_of, pieces
from bench.matching.distortions import DISTORTIONS, RATE_HZ, Around, Distortion
from bench.options import audio_folder
from recsys.arrays import F32
from recsys.audio.signal import read_audio
from recsys.synth.render import write_audio

LENGTHS_S = (10, 5, 3)
N_FILLING, N_RENDERED_FILLING = 150, 30  # in the index, never asked for: of training; rendered, of each kind
N_OTHERS = 50  # recordings of training that are mixed in as other music
SEED = 7


@dataclass(frozen=True)
class Side:
    """
    What one side of the benchmark asks for.

    Attributes:
        known: Recordings in the index.
        strangers, rendered: Recordings, and rendered pieces, in no index.
        noise: What is mixed in.
        tunes, n_rendered: Which tunes of `bench.audio.rendered` are rendered, and how many.
    """

    known: str
    strangers: str
    rendered: str
    noise: str
    tunes: str
    n_rendered: int


CALIBRATION = Side("calibration", "calibration strangers", "rendered for calibration", "calibration", "train", 200)
TEST = Side("queried", "strangers", "rendered", "test", "test", 310)


@cache
def sound_of(path: Path) -> F32:
    """Read a recording as queries are cut out of it: mono, 16 kHz."""
    return read_audio(path).mono(RATE_HZ)


def render(home: Path, pool: Executor, most: int) -> None:
    """Render what is asked for and what fills the index, each tune once, at most so many of each kind."""
    wanted: list[tuple[Path, Piece]] = []
    for side in (CALIBRATION, TEST):
        n_filling, n_asked = min(N_RENDERED_FILLING, most), min(side.n_rendered, most)
        n = n_filling + n_asked
        tunes = list({each.tune.name: each for each in pieces(side.tunes, 2 * n, by_turns=False)}.values())[:n]
        folders = ["filling"] * n_filling + [side.rendered] * n_asked
        for number, (folder, piece) in enumerate(zip(folders, tunes, strict=True)):
            wanted.append((home / folder / f"{side.tunes} {number:03}.wav", piece))
    for path, _ in wanted:
        path.parent.mkdir(parents=True, exist_ok=True)
    list(pool.map(_write, *zip(*wanted, strict=True), chunksize=8))


def _write(path: Path, piece: Piece) -> None:
    write_audio(path, mono_of(piece)[0][None], RATE_HZ)


def in_index(home: Path, most: int) -> list[Path]:
    """List the recordings of the index, at most so many of each part."""
    of = recordings(audio_folder())
    filling = [*of["train"][: min(N_FILLING, most)], *sorted((home / "filling").iterdir())]
    return [*of[TEST.known][:most], *of[CALIBRATION.known][:most], *filling]


@dataclass(frozen=True)
class Numbers:
    """
    How much is asked for, and among how much.

    Attributes:
        real: Queries of each distortion and length: uses, and as many of real strangers.
        rendered: Queries of rendered strangers.
        most: Recordings of each part, and renders of each kind, at most.
    """

    real: int
    rendered: int
    most: int


@dataclass(frozen=True)
class Cell:
    """
    Queries of one kind.

    Attributes:
        home: Folder of the indexes and renders.
        of: The part of the recordings, or the folder of renders, that they are cut out of.
        noise: What is mixed in.
        length_s: Of each [s].
        n: How many of each distortion.
        most: Recordings that they are cut out of, at most.
        with_peer: Whether Chromaprint is asked, too.
    """

    home: Path
    of: str
    noise: str
    length_s: int
    n: int
    most: int
    with_peer: bool


@dataclass(frozen=True)
class Query:
    """A piece of a recording, distorted: what it was cut out of, where it begins there [s], sound of 16 kHz."""

    path: Path
    begins_s: float
    sound: F32


def queries(cell: Cell, name: str) -> Iterator[Query]:
    """Cut pieces out of recordings, by turns, and distort them."""
    distortion = DISTORTIONS[name]
    rng = np.random.default_rng([SEED, crc32(f"{name} {cell.of} {cell.length_s}".encode())])
    around = Around(*_around(cell.noise, cell.most), rng)
    paths = _asked_for(cell)
    order = np.concatenate([rng.permutation(len(paths)) for _ in range(1 + cell.n // len(paths))])[: cell.n]
    for at in order:
        start, piece = _piece(sound_of(paths[at]), distortion, cell.length_s, rng)
        yield Query(paths[at], start / RATE_HZ, distortion.change(piece, around)[: cell.length_s * RATE_HZ])


def _asked_for(cell: Cell) -> list[Path]:
    return (recordings(audio_folder()).get(cell.of) or sorted((cell.home / cell.of).iterdir()))[: cell.most]


@cache
def _around(noise: str, most: int) -> tuple[list[F32], list[F32]]:
    audio = audio_folder()
    others = recordings(audio)["train"][N_FILLING : N_FILLING + min(N_OTHERS, most)]
    return [sound_of(path) for path in noises(audio)[noise][:most]], [sound_of(path) for path in others]


def _piece(sound: F32, distortion: Distortion, length_s: int, rng: np.random.Generator) -> tuple[int, F32]:
    n = int(length_s * distortion.ratio * RATE_HZ) + RATE_HZ // 10
    start = int(rng.integers(max(1, len(sound) - n)))
    return start, sound[start : start + n]
