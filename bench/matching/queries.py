"""
The recordings in the index and the queries: excerpts of real and rendered recordings, distorted.

Calibration and test use different recordings, tunes, instruments and noise. The index holds rendered pieces as well:
otherwise the sound of rendered instruments alone would separate strangers from uses.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np

from bench.audio.recordings import noises, recordings
from bench.audio.rendered import Piece, pieces, render_mono
from bench.audio.speech import is_installed, make_speech
from bench.matching.distortions import DISTORTIONS, RATE_HZ, SPEECH, Background, Distortion
from bench.options import audio_folder
from recsys.arrays import F32
from recsys.audio.signal import read_audio
from recsys.synth.render import write_audio

LENGTHS_S = (10, 5, 3)
N_FILLING, N_RENDERED_FILLING = 150, 30  # indexed but never queried: training recordings, rendered pieces per side
N_OTHERS = 50  # training recordings that are mixed into queries as other music
N_SPEECH = 40  # files of speech per side
SEED = 7


@dataclass(frozen=True)
class Parts:
    """
    The parts of the data that the calibration, or the test, uses.

    Attributes:
        indexed: Part of `bench.audio.recordings` that is in the index.
        strangers: Part of `bench.audio.recordings` that is not in the index.
        rendered: Folder of rendered strangers.
        noise: Part of the noise clips, and of the speech, that is mixed in.
        tunes: Part of `bench.audio.rendered` that is rendered.
        n_rendered: Number of rendered strangers.
    """

    indexed: str
    strangers: str
    rendered: str
    noise: str
    tunes: str
    n_rendered: int


CALIBRATION = Parts("calibration", "calibration strangers", "rendered for calibration", "calibration", "train", 200)
TEST = Parts("queried", "strangers", "rendered", "test", "test", 310)


@cache
def read_sound(path: Path) -> F32:
    """Read a recording in the format of queries: mono, 16 kHz."""
    return read_audio(path).mono(RATE_HZ)


def render(home: Path, pool: Executor, max_per_part: int, sides: Iterable[Parts] = (CALIBRATION, TEST)) -> None:
    """Render speech, strangers and pieces for the index, each tune once, at most `max_per_part` of each kind."""
    if is_installed():
        for parts in sides:
            make_speech(_speech_folder(home, parts.noise), parts.noise, min(N_SPEECH, max_per_part))
    targets: list[tuple[Path, Piece]] = []
    for parts in sides:
        n_filling, n_strangers = min(N_RENDERED_FILLING, max_per_part), min(parts.n_rendered, max_per_part)
        n = n_filling + n_strangers
        drawn = pieces(parts.tunes, 2 * n, balanced_modes=False)
        unique = list({piece.tune.name: piece for piece in drawn}.values())[:n]
        folders = ["filling"] * n_filling + [parts.rendered] * n_strangers
        for number, (folder, piece) in enumerate(zip(folders, unique, strict=True)):
            targets.append((home / folder / f"{parts.tunes} {number:03}.wav", piece))
    missing = [(path, piece) for path, piece in targets if not path.exists()]
    for path, _ in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
    if missing:
        list(pool.map(_write, *zip(*missing, strict=True), chunksize=8))


def _speech_folder(home: Path, part: str) -> Path:
    return home / "speech" / part


def speech_files(home: Path, part: str) -> list[Path]:
    """List the files of speech of a part, made by `render`; empty without eSpeak NG."""
    return sorted(_speech_folder(home, part).glob("*.wav"))


def _write(path: Path, piece: Piece) -> None:
    write_audio(path, render_mono(piece)[0][None], RATE_HZ)


def indexed_files(home: Path, max_per_part: int) -> list[Path]:
    """List the indexed files: at most `max_per_part` real ones of each part, and all rendered ones."""
    by_part = recordings(audio_folder())
    filling = [*by_part["train"][: min(N_FILLING, max_per_part)], *sorted((home / "filling").iterdir())]
    return [*by_part[TEST.indexed][:max_per_part], *by_part[CALIBRATION.indexed][:max_per_part], *filling]


@dataclass(frozen=True)
class QueryCounts:
    """
    The size of the benchmark.

    Attributes:
        real: Uses, and real strangers, per distortion and length.
        rendered: Rendered strangers per distortion and length.
        max_per_part: Recordings per part, and rendered pieces per kind, at most.
    """

    real: int
    rendered: int
    max_per_part: int


@dataclass(frozen=True)
class QuerySet:
    """
    Queries of one kind and length.

    Attributes:
        home: Folder of the indexes and the rendered pieces.
        part: The part of the recordings, or the folder of rendered pieces, that excerpts come from.
        noise: Part of the noise clips, and of the speech, that is mixed in.
        length_s: Length of a query [s].
        n: Queries per distortion.
        max_per_part: Recordings that excerpts come from, at most.
        with_peer: Whether Chromaprint gets the queries as well.
    """

    home: Path
    part: str
    noise: str
    length_s: int
    n: int
    max_per_part: int
    with_peer: bool


@dataclass(frozen=True)
class Query:
    """A distorted excerpt: the recording's file, the offset of the excerpt in it [s], mono sound at 16 kHz."""

    path: Path
    offset_s: float
    sound: F32


def queries(query_set: QuerySet, name: str) -> Iterator[Query]:
    """Yield excerpts of the recordings in random order, each distorted as DISTORTIONS or SPEECH says."""
    distortion, n = (DISTORTIONS | SPEECH)[name], query_set.n
    rng = np.random.default_rng([SEED, crc32(f"{name} {query_set.part} {query_set.length_s}".encode())])
    covers = Background(*background(query_set.home, query_set.noise, query_set.max_per_part), rng)
    paths = _source_files(query_set)
    order = np.concatenate([rng.permutation(len(paths)) for _ in range(1 + n // len(paths))])[:n]
    for row in order:
        start, sound = excerpt(read_sound(paths[row]), distortion, query_set.length_s, rng)
        distorted = distortion.change(sound, covers)[: query_set.length_s * RATE_HZ]
        yield Query(paths[row], start / RATE_HZ, distorted)


def _source_files(query_set: QuerySet) -> list[Path]:
    real = recordings(audio_folder()).get(query_set.part)
    return (real or sorted((query_set.home / query_set.part).iterdir()))[: query_set.max_per_part]


@cache
def background(home: Path, part: str, max_per_part: int) -> tuple[list[F32], list[F32], list[F32]]:
    """Return noises, other music and speech to cover queries with, at most `max_per_part` recordings of each."""
    audio = audio_folder()
    others = recordings(audio)["train"][N_FILLING : N_FILLING + min(N_OTHERS, max_per_part)]
    files = noises(audio)[part][:max_per_part], others, speech_files(home, part)
    found, music, speech = ([read_sound(path) for path in some] for some in files)
    return found, music, speech


def excerpt(sound: F32, distortion: Distortion, length_s: int, rng: np.random.Generator) -> tuple[int, F32]:
    """Return the first sample of a random excerpt, and its sound, which lasts `length_s` when distorted."""
    n = int(length_s * distortion.ratio * RATE_HZ) + RATE_HZ // 10
    start = int(rng.integers(max(1, len(sound) - n)))
    return start, sound[start : start + n]
