"""
Cue sheets of long mixes: the share of uses found, errors of their times, tempo and pitch, and false uses.

A mix is a sequence of excerpts that last 8 to 36 s between the fades in which they follow each other. Some come from
indexed recordings, each with its own change of speed, pitch or tempo; the others from strangers, recordings that are
not in the index. Training and calibration have used none of the recordings and noises in the mixes; the index also
holds recordings that they did use. Then every stranger is searched alone, plain and in noise: every use found in it is
false.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.audio.recordings import noises, recordings
from bench.options import audio_folder, benchmark, size
from recsys.arrays import F32
from recsys.audio.signal import read_audio
from recsys.audio.training import distort

if TYPE_CHECKING:
    from recsys.audio.fingerprint.fingerprinter import Fingerprinter
    from recsys.matching.fingerprint_index import FingerprintIndex
    from recsys.matching.uses import Use

RATE_HZ = 8_000  # the fingerprint's sample rate
N_FILLING, SEED = 150, 7
SHORTEST_S, LONGEST_S, SHARE_INDEXED, NOISE_DB = 8.0, 36.0, 0.6, 15.0  # lengths without the fades


@dataclass(frozen=True)
class Piece:
    """
    An excerpt in a mix.

    Attributes:
        recording: The indexed recording, '' for a stranger.
        starts_s, ends_s: Its place in the mix [s].
        reference_s: Its offset in the recording [s].
        ratio: Tempo in the mix over that of the recording.
        semitones: Pitch in the mix above that of the recording.
    """

    recording: str
    starts_s: float
    ends_s: float
    reference_s: float
    ratio: float
    semitones: float


@dataclass(frozen=True)
class Detection:
    """An excerpt, the use that was found for it (None if missed), and the use's pitch [semitones]."""

    piece: Piece
    use: "Use | None"
    pitch: float


@cache
def read_sound(path: Path) -> F32:
    """Read a recording as mono at 8 kHz."""
    return read_audio(path).mono(RATE_HZ)


def changed(sound: F32, rng: np.random.Generator) -> tuple[F32, float, float]:
    """Change speed, pitch or tempo at random, or nothing; return the sound, tempo ratio and pitch [semitones]."""
    kind = rng.integers(4)
    if kind == 1:
        ratio = float(rng.choice([0.95, 0.97, 1.03, 1.05]))
        return distort.with_speed(sound, ratio), ratio, 12 * float(np.log2(ratio))
    if kind == 2:
        semitones = float(rng.choice([-2, -1, 1, 2]))
        return distort.with_pitch(sound, RATE_HZ, semitones), 1.0, semitones
    if kind == 3:
        ratio = float(rng.choice([0.9, 0.95, 1.05, 1.1]))
        return distort.with_tempo(sound, RATE_HZ, ratio), ratio, 0.0
    return sound, 1.0, 0.0


def excerpt(path: Path, rng: np.random.Generator, fade_s: float) -> tuple[F32, float, float, float]:
    """Return a changed excerpt, faded in and out, with its offset [s], tempo ratio and pitch [semitones]."""
    whole, fade = read_sound(path), int(fade_s * RATE_HZ)
    n = int(rng.uniform(SHORTEST_S + 2 * fade_s, LONGEST_S + 2 * fade_s) * RATE_HZ)
    first = int(rng.integers(max(1, len(whole) - n)))
    part, ratio, semitones = changed(whole[first : first + n], rng)
    part = part / max(float(np.sqrt(np.square(part).mean())), 1e-3) * np.float32(0.1)
    part[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    part[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return part, first / RATE_HZ, ratio, semitones


def mixed(
    indexed: list[Path], strangers: list[Path], noise: list[F32], rng: np.random.Generator, fade_s: float, n: int
) -> tuple[F32, list[Piece]]:
    """Generate a mix of `n` excerpts that fade into each other for so long; return its sound and the excerpts."""
    sound, pieces = np.zeros(0, np.float32), []
    for _ in range(n):
        is_indexed = rng.random() < SHARE_INDEXED
        paths = indexed if is_indexed else strangers
        path = paths[int(rng.integers(len(paths)))]
        part, reference_s, ratio, semitones = excerpt(path, rng, fade_s)
        start = max(0, len(sound) - int(fade_s * RATE_HZ))
        sound = np.concatenate([sound, np.zeros(start + len(part) - len(sound), np.float32)])
        sound[start:] += part
        times = start / RATE_HZ, (start + len(part)) / RATE_HZ, reference_s
        pieces.append(Piece(path.name if is_indexed else "", *times, ratio, semitones))
    return in_noise(sound, noise, NOISE_DB, rng), pieces


def in_noise(sound: F32, noise: list[F32], snr_db: float, rng: np.random.Generator) -> F32:
    """Add recorded noise: clips concatenated in random order."""
    background = np.resize(np.concatenate([noise[row] for row in rng.permutation(len(noise))]), len(sound))
    return distort.with_background(sound, background, snr_db, rng)


def overlap_s(use: "Use", piece: Piece) -> float:
    """Return the overlap of a use and an excerpt [s]; below 0 without overlap or for another recording."""
    return min(use.ends_s, piece.ends_s) - max(use.starts_s, piece.starts_s) if use.audio_id == piece.recording else -1


def uses_in(sound: F32, index: "FingerprintIndex", network: "Fingerprinter") -> "list[Use]":
    """Find uses of indexed recordings in a sound."""
    from recsys.matching.audio_tasks import SHIFTS_SEMITONES
    from recsys.matching.cue_sheets import shipped_calibration
    from recsys.matching.uses import find_uses

    looks = list(network.stream_shifted([sound], (0.0, *SHIFTS_SEMITONES)))
    query, *shifted = np.concatenate(looks, axis=1)
    return find_uses(index, query, shipped_calibration(), shifted)


def detect(
    sound: F32, pieces: list[Piece], index: "FingerprintIndex", network: "Fingerprinter"
) -> "tuple[list[Detection], list[Use]]":
    """Find the uses in a mix; return the detection of each indexed excerpt, and the false uses."""
    from recsys.matching.pitch import excerpt_of, pitch_of

    found = uses_in(sound, index, network)
    detections = []
    for piece in (piece for piece in pieces if piece.recording):
        best = max(found, key=lambda use: overlap_s(use, piece), default=None)
        if best is None or overlap_s(best, piece) < 2:
            detections.append(Detection(piece, None, np.nan))
            continue
        starts_s, ends_s = excerpt_of(best)
        part = sound[round(starts_s * RATE_HZ) : round(ends_s * RATE_HZ)]
        detections.append(Detection(piece, best, pitch_of(index, best, part, network)))
    return detections, [use for use in found if max(overlap_s(use, piece) for piece in pieces) < 1]


def print_error(name: str, errors: Iterable[float]) -> None:
    """Print the median and 90th percentile of absolute errors."""
    size = np.abs(np.array(list(errors)))
    print(f"  {name}: error {np.median(size):.2f} (median), {np.quantile(size, 0.9):.2f} (90 %)")


def evaluate_mixes(
    n_mixes: int,
    n_excerpts: int,
    fade_s: float,
    parts: dict[str, list[Path]],
    noise: list[F32],
    index: "FingerprintIndex",
    network: "Fingerprinter",
) -> None:
    """Generate mixes, find the uses in them, and print the accuracy."""
    rng, total_s = np.random.default_rng(SEED), 0.0
    detections: list[Detection] = []
    n_false = 0
    for _ in range(n_mixes):
        sound, pieces = mixed(parts["queried"], parts["strangers"], noise, rng, fade_s, n_excerpts)
        of_mix, false_uses = detect(sound, pieces, index, network)
        detections, n_false, total_s = [*detections, *of_mix], n_false + len(false_uses), total_s + len(sound) / RATE_HZ
    hits = [(detection.piece, detection.use, detection.pitch) for detection in detections if detection.use is not None]
    share = f"{len(detections)} uses in them: found {len(hits) / len(detections):.1%}"
    print(f"{n_mixes} mixes, {total_s / 60:.0f} minutes, {share}")
    print_error(f"start [s], fades of {fade_s:g} s", (use.starts_s - piece.starts_s for piece, use, _ in hits))
    print_error(f"end [s], fades of {fade_s:g} s", (use.ends_s - piece.ends_s for piece, use, _ in hits))
    print_error(
        "offset in the recording [s]", (offset_error_s(piece, use) for piece, use, _ in hits if use.n_places == 1)
    )
    print_error("tempo [%]", (100 * (use.tempo_ratio / piece.ratio - 1) for piece, use, _ in hits))
    print_error("pitch [semitones]", (pitch - piece.semitones for piece, _, pitch in hits))
    print(f"  false uses: {n_false} ({n_false / total_s * 3600:.1f} per hour)", flush=True)


def offset_error_s(piece: Piece, use: "Use") -> float:
    """Return the error of a use's offset in the recording [s], corrected for the error of its start in the mix."""
    return use.reference_starts_s - (piece.reference_s + piece.ratio * (use.starts_s - piece.starts_s))


def evaluate_strangers(
    paths: list[Path], noise: list[F32], index: "FingerprintIndex", network: "Fingerprinter"
) -> None:
    """Search whole strangers, plain and in noise, and print how many false uses are found."""
    rng = np.random.default_rng(SEED)
    for snr_db in (None, 10.0, 0.0):
        n, total_s = 0, 0.0
        for path in paths:
            sound = read_sound(path) if snr_db is None else in_noise(read_sound(path), noise, snr_db, rng)
            n += len(uses_in(sound, index, network))
            total_s += len(sound) / RATE_HZ
        background = "plain" if snr_db is None else f"in noise {snr_db:g} dB below"
        print(f"strangers, {background}: {n} false uses in {total_s / 3600:.2f} h", flush=True)


@benchmark(headline=r"uses in them: found (\d+\.\d)%")
@size("--mixes", "n_mixes", default=10, smallest=1, help="Mixes.")
@size("--excerpts", "n_excerpts", default=12, smallest=3, help="Excerpts in a mix.")
@size("--fade", "fades_s", type=float, multiple=True, default=[2.0, 8.0], smallest=[2.0], help="Length of fades [s].")
@size("--recordings", "n", default=1_000, smallest=2, help="Recordings per part, at most.")
def main(n_mixes: int, n_excerpts: int, fades_s: tuple[float, ...], n: int) -> None:
    """Build the index, then evaluate mixes and strangers."""
    import torch

    from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter
    from recsys.matching.fingerprint_index import FingerprintIndex

    torch.set_num_threads(1)
    audio, network = audio_folder(), Fingerprinter.load()
    parts = {part: paths[:n] for part, paths in recordings(audio).items()}
    noise = [read_sound(path) for path in noises(audio)["test"][:n]]
    paths = [*parts["queried"], *parts["calibration"], *parts["train"][:N_FILLING]]
    vectors = [network.recording_vectors(read_sound(path), RATE_HZ)[::INDEX_STEP] for path in paths]
    index = FingerprintIndex.build([path.name for path in paths], vectors, version=network.version)
    for fade_s in fades_s:
        evaluate_mixes(n_mixes, n_excerpts, fade_s, parts, noise, index, network)
    evaluate_strangers(parts["strangers"], noise, index, network)


if __name__ == "__main__":
    main()
