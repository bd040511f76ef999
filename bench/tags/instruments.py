"""
Instruments of rendered pieces: what plays the melody, the chords, the bass and the drums.

Tunes and programs (MIDI instruments) differ between the parts: `PROGRAMS` names those that are heard in the validation
alone and in the test alone. Pieces last ten seconds; half of them are recorded with noise, half are dulled by a low-
pass filter, half are coded as MP3, at peaks from -12 to 0 dB of full scale. The vectors of pieces are kept in the
folder given by --cache, since rendering and encoding takes most of the time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from scipy.signal import butter, sosfilt

from bench.audio.recordings import recordings
from bench.audio.rendered import Piece, map_in_parallel, pieces, recorded
from bench.options import audio_folder
from recsys import files
from recsys.arrays import F32, I64
from recsys.audio.mel import RATE_HZ
from recsys.synth.arrange import FAMILIES, MELODY, Style, arrange

if TYPE_CHECKING:
    import torch

PIECE_S, MP3_KBIT = 10.0, 64
RENDER_RATE_HZ = 22_050
QUIETEST_PEAK_DB = -12.0  # of a piece; the loudest has a peak at full scale
DULLEST_HZ, BRIGHTEST_HZ = 500.0, 8_000.0  # cut-off of the low-pass filter
PROGRAMS = {  # of each instrument: General MIDI programs; others, such as the harpsichord, have no tag
    "piano": range(6),
    "mallet percussion": range(8, 15),
    "organ": range(16, 21),
    "accordion": (21, 23),
    "guitar": range(24, 32),
    "bass": range(32, 40),
    "strings": (*range(40, 46), *range(48, 52)),
    "choir": range(52, 55),
    "brass": range(56, 64),
    "saxophone": range(64, 68),
    "woodwind": range(68, 80),
    "flute": range(72, 80),
    "synth": range(80, 96),
}
DRUMS = "drums"
TAGS = (*PROGRAMS, DRUMS)
EVERY_PROGRAM = frozenset(program for family in FAMILIES.values() for program in family)
ONLY_IN = {  # programs of one part alone
    "validation": frozenset({3, 11, 18, 23, 27, 36, 42, 49, 53, 58, 66, 70, 74, 83, 91}),
    "test": frozenset({1, 12, 19, 25, 33, 41, 50, 54, 61, 65, 68, 75, 85, 94}),
}


@dataclass(frozen=True, eq=False)
class Rendered:
    """
    Rendered pieces.

    Attributes:
        vectors: Embeddings by the default encoder. Shape (n, 753).
        pooled: Inputs of the head of instruments: the mean channels of both networks. Shape (n, 1506).
        mfcc: Means and standard deviations of 20 MFCCs. Shape (n, 40).
        has_tag: 1 for the instruments that play, 0 for others, in the order of `TAGS`. Shape (n, n_tags).
        family: Number of the melody's family in `MELODY`. Shape (n,).
        tune: Name of the tune. Shape (n,).
    """

    vectors: F32
    pooled: F32
    mfcc: F32
    has_tag: F32
    family: I64
    tune: np.ndarray

    @property
    def has_family(self) -> F32:
        """1 for the family of each piece's melody, 0 for others. Shape (n, n_families)."""
        hot: F32 = np.eye(len(MELODY), dtype=np.float32)[self.family]
        return hot


def rendered(part: str, n: int, cache: Path | None) -> Rendered:
    """Return n pieces of a part ('train', 'validation' or 'test'), from the cache if it has them."""
    path = None if cache is None else cache / f"{part}-{n}-instruments.npz"
    if path is None or not path.exists():
        arrays = _render(part, n)
        if path is not None:
            files.write_atomically(path, lambda partial: _save(partial, arrays))
    else:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    return Rendered(**arrays)


def _save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _render(part: str, n: int) -> dict[str, np.ndarray]:
    programs = ONLY_IN.get(part, EVERY_PROGRAM - frozenset.union(*ONLY_IN.values()))
    drawn = [replace(piece, programs=programs) for piece in pieces(part, n, balanced_modes=False)]
    measured = map_in_parallel(measure, drawn)
    names = ("vectors", "pooled", "mfcc", "has_tag", "family", "tune")
    return {name: np.array(column) for name, column in zip(names, zip(*measured, strict=True), strict=True)}


def real_recordings(n: int, cache: Path | None, parts: tuple[str, ...] = ("train",)) -> F32:
    """Return the inputs of the head for at most n real recordings of some parts, from the cache if they are there."""
    path = None if cache is None else cache / f"real-{'-'.join(parts)}-{n}.npy"
    if path is not None and path.exists():
        stored: F32 = np.load(path, allow_pickle=False)
        return stored
    of_parts = recordings(audio_folder())
    chosen = [file for part in parts for file in of_parts[part]][:n]
    found = [pooled for file in chosen if (pooled := _pooled_file(file)) is not None]
    if path is not None:
        files.write_atomically(path, lambda partial: _save_array(partial, np.stack(found)))
    return np.stack(found)


def _save_array(path: Path, array: F32) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _pooled_file(path: Path) -> F32 | None:
    """Return the inputs of the head for a file, of a third of its patches; None for silence."""
    from recsys.audio.embedding.embed import patches_of
    from recsys.audio.signal import read_audio

    patches = patches_of(read_audio(path).mono(RATE_HZ))
    return None if patches is None else np.concatenate(means_of(patches[::3]))


def means_of(patches: "torch.Tensor") -> list[F32]:
    """Return the mean channels of both pretrained networks."""
    from recsys.audio.embedding.embed import encode, standardised_mean
    from recsys.audio.embedding.pretrained import pretrained
    from recsys.audio.embedding.tags import TRAINING_SETS

    taggers = [pretrained(training_set) for training_set in TRAINING_SETS]
    return [standardised_mean(tagger, encode(tagger, patches)) for tagger in taggers]


def measure(piece: Piece) -> tuple[F32, F32, F32, F32, int, str]:
    """Render a piece and return a row of `Rendered`."""
    import torch

    from bench.audio.__main__ import mfcc_statistics
    from recsys.audio.embedding.embed import patches_of

    torch.set_num_threads(1)
    mono, style = sound_of(piece)
    means = means_of(cast("torch.Tensor", patches_of(mono)))  # not silent
    family = next(number for number, name in enumerate(MELODY) if style.melody in FAMILIES[name])
    has_tag = np.isin(TAGS, list(instruments_of(style))).astype(np.float32)
    return means[0], np.concatenate(means), mfcc_statistics(mono), has_tag, family, piece.tune.name


def sound_of(piece: Piece) -> tuple[F32, Style]:
    """Return a piece as 16 kHz mono, and its style."""
    from recsys.audio.signal import Signal
    from recsys.audio.training import distort
    from recsys.synth.render import render

    rng = np.random.default_rng(piece.seed)
    style = Style.random(rng, programs=piece.programs)
    played = arrange(piece.tune, style, rng, longest_s=PIECE_S)
    samples = render(played, rate_hz=RENDER_RATE_HZ, longest_s=PIECE_S)
    if rng.random() < 0.5:
        samples = recorded(samples, rng)
    if rng.random() < 0.5:
        cutoff_hz = np.exp(rng.uniform(np.log(DULLEST_HZ), np.log(BRIGHTEST_HZ)))
        samples = sosfilt(butter(2, cutoff_hz, fs=RENDER_RATE_HZ, output="sos"), samples, axis=1).astype(np.float32)
    peak = 10 ** (rng.uniform(QUIETEST_PEAK_DB, 0) / 20)
    samples = samples * np.float32(peak / max(float(np.abs(samples).max()), 1e-3))
    mono = Signal(samples, RENDER_RATE_HZ, "rendered", 0.0).mono(RATE_HZ)
    return (distort.mp3_coded(mono, RATE_HZ, MP3_KBIT) if rng.random() < 0.5 else mono), style


def instruments_of(style: Style) -> Iterator[str]:
    """Yield the tags of the instruments that play."""
    playing = {style.melody} | ({style.harmony} if style.chords != "none" else set())
    playing |= {style.bass} if style.has_bass else set()
    yield from (tag for tag, programs in PROGRAMS.items() if not playing.isdisjoint(programs))
    if style.has_drums:
        yield DRUMS
