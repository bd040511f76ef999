"""
Short uses in long files: the share found of excerpts of 4 to 10 s in three minutes of other music.

Each file is a sequence of strangers, recordings that are not in the index, in which one excerpt of an indexed recording
takes the place of their sound, at their level: as it is, or with a change of speed, pitch or tempo. A use is found if
it overlaps with the excerpt for a second. Training and calibration have used none of these recordings, nor the noise.
With --development, the recordings are those of the calibration.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.audio.recordings import recordings
from bench.matching.cue_sheets import N_FILLING, RATE_HZ, Piece, changed, overlap_s, read_sound, uses_in
from bench.options import audio_folder, benchmark, size
from recsys.arrays import F32

if TYPE_CHECKING:
    from recsys.audio.fingerprint.fingerprinter import Fingerprinter
    from recsys.matching.fingerprint_index import FingerprintIndex
    from recsys.matching.uses import Use

LENGTHS_S, HOST_S, MARGIN_S, FADE_S, SEED = (4, 5, 6, 8, 10), 180.0, 10.0, 0.05, 7


def host(paths: list[Path], rng: np.random.Generator) -> F32:
    """Return three minutes of strangers' music, one recording after the other, each at the same level."""
    parts: list[F32] = []
    while sum(map(len, parts)) < HOST_S * RATE_HZ:
        sound = read_sound(paths[int(rng.integers(len(paths)))])
        parts.append(sound / max(level(sound), 1e-4) * np.float32(0.1))
    return np.concatenate(parts)[: int(HOST_S * RATE_HZ)]


def level(sound: F32) -> float:
    """Return the root mean square of a sound."""
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean()))


def planted(
    indexed: list[Path], strangers: list[Path], length_s: float, rng: np.random.Generator, *, is_changed: bool
) -> tuple[F32, Piece]:
    """Return a file with one excerpt of an indexed recording, and the excerpt."""
    sound, path = host(strangers, rng), indexed[int(rng.integers(len(indexed)))]
    whole, n = read_sound(path), int(length_s * RATE_HZ)
    first = int(rng.integers(max(1, len(whole) - 2 * n)))
    excerpt = whole[first : first + 2 * n]
    part, ratio, semitones = changed(excerpt, rng) if is_changed else (excerpt, 1.0, 0.0)
    part = np.asarray(part[:n] / max(level(part[:n]), 1e-4) * np.float32(0.1))
    start, fade = int(rng.uniform(MARGIN_S, HOST_S - MARGIN_S - length_s) * RATE_HZ), int(FADE_S * RATE_HZ)
    weight = np.minimum(1, np.minimum(np.arange(n) + 1, np.arange(n)[::-1] + 1) / fade).astype(np.float32)
    sound[start : start + n] = sound[start : start + n] * (1 - weight) + part * weight
    times = start / RATE_HZ, start / RATE_HZ + length_s, first / RATE_HZ
    return sound, Piece(path.name, *times, ratio, semitones)


def files(
    indexed: list[Path], strangers: list[Path], length_s: float, n: int, *, is_changed: bool
) -> Iterator[tuple[F32, Piece]]:
    """Yield n files with one excerpt of this length each."""
    rng = np.random.default_rng([SEED, int(length_s), int(is_changed)])
    for _ in range(n):
        yield planted(indexed, strangers, length_s, rng, is_changed=is_changed)


def print_row(length_s: float, found: "list[tuple[Piece, list[Use]]]", n_files: int, *, is_changed: bool) -> None:
    """Print the share of excerpts found, the errors of their times, and the false uses."""
    best = [max(uses, key=lambda use: overlap_s(use, piece), default=None) for piece, uses in found]
    hits = [
        (piece, use)
        for (piece, _), use in zip(found, best, strict=True)
        if use is not None and overlap_s(use, piece) >= 1
    ]
    n_false = sum(overlap_s(use, piece) < 1 for piece, uses in found for use in uses)
    errors = [abs(use.starts_s - piece.starts_s) for piece, use in hits]
    errors += [abs(use.ends_s - piece.ends_s) for piece, use in hits]
    error = f"start and end: error {np.median(errors):.2f} s (median)" if errors else ""
    kind = "changed" if is_changed else "as it is"
    print(
        f"{length_s:g} s, {kind}: found {len(hits) / n_files:.1%} of {n_files}; false uses {n_false}; {error}",
        flush=True,
    )


def index_of(audio: Path, used: str, others: str, n: int, network: "Fingerprinter") -> "FingerprintIndex":
    """Index the recordings that are used, others, and some of the training."""
    from recsys.audio.fingerprint.fingerprinter import INDEX_STEP
    from recsys.matching.fingerprint_index import FingerprintIndex

    parts = recordings(audio)
    paths = [*parts[used][:n], *parts[others][:n], *parts["train"][: min(n, N_FILLING)]]
    vectors = [network.recording_vectors(read_sound(path), RATE_HZ)[::INDEX_STEP] for path in paths]
    return FingerprintIndex.build([path.name for path in paths], vectors, version=network.version)


@benchmark(headline=r"5 s, as it is: found (\d+\.\d)%")
@size("--files", "n_files", default=40, smallest=1, help="Files per length of the use.")
@size("--length", "lengths_s", multiple=True, type=float, default=LENGTHS_S, smallest=(5,), help="Of the use [s].")
@size("--recordings", "n", default=1_000, smallest=2, help="Recordings per part, at most.")
@click.option("--development", is_flag=True, help="With recordings of the calibration.")
def main(n_files: int, lengths_s: tuple[float, ...], n: int, development: bool) -> None:
    """Build the index, then search the files."""
    import torch

    from recsys.audio.fingerprint.fingerprinter import Fingerprinter

    torch.set_num_threads(1)
    audio, network = audio_folder(), Fingerprinter.load()
    used, unused, others = ("calibration", "calibration strangers", "queried")
    if not development:
        used, unused, others = ("queried", "strangers", "calibration")
    parts = {part: paths[:n] for part, paths in recordings(audio).items()}
    index = index_of(audio, used, others, n, network)
    for is_changed in (False, True):
        for length_s in lengths_s:
            made = files(parts[used], parts[unused], length_s, n_files, is_changed=is_changed)
            found = [(piece, uses_in(sound, index, network)) for sound, piece in made]
            print_row(length_s, found, n_files, is_changed=is_changed)


if __name__ == "__main__":
    main()
