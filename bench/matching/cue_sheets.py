"""
Cue sheets of long mixes: how many uses are found, from when to when, how transformed, and how many are made up.

A mix is a row of pieces of 12 to 40 s, one fading into the next: of recordings that are in the index, each changed in
its own way, and of strangers. All of these recordings, and the noise, are ones that training and calibration never met.
Then all strangers are asked for one by one, plain and in noise: every use that is told of them is made up.
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

RATE_HZ = 8_000  # as the fingerprint hears
N_FILLING, N_PIECES, FADE_S, SEED = 150, 12, 2.0, 7
SHORTEST_S, LONGEST_S, SHARE_KNOWN, NOISE_DB = 12.0, 40.0, 0.6, 15.0


@dataclass(frozen=True)
class Piece:
    """What is in a mix: whose ('' for a stranger's), from when to when, where from, and how it was changed."""

    recording: str
    starts_s: float
    ends_s: float
    reference_s: float
    ratio: float
    semitones: float


@dataclass(frozen=True)
class Told:
    """A piece, the use that was told of it, and its pitch."""

    piece: Piece
    use: "Use | None"
    pitch: float


@cache
def sound_of(path: Path) -> F32:
    """Read a recording at 8 kHz."""
    return read_audio(path).mono(RATE_HZ)


def changed(sound: F32, rng: np.random.Generator) -> tuple[F32, float, float]:
    """Change a piece as uploads are; return it, its tempo ratio and its pitch."""
    way = rng.integers(4)
    if way == 1:
        ratio = float(rng.choice([0.95, 0.97, 1.03, 1.05]))
        return distort.with_speed(sound, ratio), ratio, 12 * float(np.log2(ratio))
    if way == 2:
        semitones = float(rng.choice([-2, -1, 1, 2]))
        return distort.with_pitch(sound, RATE_HZ, semitones), 1.0, semitones
    if way == 3:
        ratio = float(rng.choice([0.9, 0.95, 1.05, 1.1]))
        return distort.with_tempo(sound, RATE_HZ, ratio), ratio, 0.0
    return sound, 1.0, 0.0


def cut(path: Path, rng: np.random.Generator) -> tuple[F32, float, float, float]:
    """Cut a piece out, change it and fade it in and out; return it, where from [s], its tempo and its pitch."""
    whole, fade = sound_of(path), int(FADE_S * RATE_HZ)
    n = int(rng.uniform(SHORTEST_S, LONGEST_S) * RATE_HZ)
    first = int(rng.integers(max(1, len(whole) - n)))
    part, ratio, semitones = changed(whole[first : first + n], rng)
    part = part / max(float(np.sqrt(np.square(part).mean())), 1e-3) * np.float32(0.1)
    part[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    part[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return part, first / RATE_HZ, ratio, semitones


def mixed(
    known: list[Path], strange: list[Path], noise: list[F32], rng: np.random.Generator
) -> tuple[F32, list[Piece]]:
    """Make a mix; the truth beside it."""
    sound, pieces = np.zeros(0, np.float32), []
    for _ in range(N_PIECES):
        is_known = rng.random() < SHARE_KNOWN
        paths = known if is_known else strange
        path = paths[int(rng.integers(len(paths)))]
        part, reference_s, ratio, semitones = cut(path, rng)
        start = max(0, len(sound) - int(FADE_S * RATE_HZ))
        sound = np.concatenate([sound, np.zeros(start + len(part) - len(sound), np.float32)])
        sound[start:] += part
        times = start / RATE_HZ, (start + len(part)) / RATE_HZ, reference_s
        pieces.append(Piece(path.name if is_known else "", *times, ratio, semitones))
    return in_noise(sound, noise, NOISE_DB, rng), pieces


def in_noise(sound: F32, noise: list[F32], snr_db: float, rng: np.random.Generator) -> F32:
    """Mix recorded noise in: clips in a drawn order."""
    around = np.resize(np.concatenate([noise[at] for at in rng.permutation(len(noise))]), len(sound))
    return distort.with_other(sound, around, snr_db, rng)


def shared_s(use: "Use", piece: Piece) -> float:
    """How long a use and a piece go together [s]; below 0 where it is another's."""
    return min(use.ends_s, piece.ends_s) - max(use.starts_s, piece.starts_s) if use.audio_id == piece.recording else -1


def uses_in(sound: F32, index: "FingerprintIndex", network: "Fingerprinter") -> "list[Use]":
    """Find the uses of indexed recordings in a sound."""
    from recsys.matching.cue_sheets import calibration
    from recsys.matching.uses import uses

    return uses(index, np.concatenate(list(network.stream([sound]))), calibration())


def told_of(
    sound: F32, pieces: list[Piece], index: "FingerprintIndex", network: "Fingerprinter"
) -> "tuple[list[Told], list[Use]]":
    """Find what is in a mix; return what was told of each known piece, and what is made up."""
    from recsys.matching.pitch import excerpt_of, pitch_of

    found = uses_in(sound, index, network)
    told = []
    for piece in (each for each in pieces if each.recording):
        best = max(found, key=lambda use: shared_s(use, piece), default=None)
        if best is None or shared_s(best, piece) < 2:
            told.append(Told(piece, None, np.nan))
            continue
        starts_s, ends_s = excerpt_of(best)
        heard = sound[round(starts_s * RATE_HZ) : round(ends_s * RATE_HZ)]
        told.append(Told(piece, best, pitch_of(index, best, heard, network)))
    return told, [use for use in found if max(shared_s(use, piece) for piece in pieces) < 1]


def tell(name: str, off: Iterable[float]) -> None:
    """Print how far off something is."""
    size = np.abs(np.array(list(off)))
    print(f"  {name}: off by {np.median(size):.2f} (median), {np.quantile(size, 0.9):.2f} (90 %)")


def tell_mixes(
    n_mixes: int, parts: dict[str, list[Path]], noise: list[F32], index: "FingerprintIndex", network: "Fingerprinter"
) -> None:
    """Make mixes, find what is in them, print how well."""
    rng, long_s = np.random.default_rng(SEED), 0.0
    told: list[Told] = []
    made_up: list[Use] = []
    for _ in range(n_mixes):
        sound, pieces = mixed(parts["queried"], parts["strangers"], noise, rng)
        some, false = told_of(sound, pieces, index, network)
        told, made_up, long_s = [*told, *some], [*made_up, *false], long_s + len(sound) / RATE_HZ
    hits = [(each.piece, each.use, each.pitch) for each in told if each.use is not None]
    print(f"{n_mixes} mixes, {long_s / 60:.0f} minutes, {len(told)} uses in them: found {len(hits) / len(told):.1%}")
    tell("start, in a fade of 2 s", (use.starts_s - piece.starts_s for piece, use, _ in hits))
    tell("end, likewise", (use.ends_s - piece.ends_s for piece, use, _ in hits))
    once = [(piece, use) for piece, use, _ in hits if use.n_places == 1]
    moved = (use.starts_s - piece.starts_s for piece, use in once)
    places = (piece.reference_s + piece.ratio * by for (piece, _), by in zip(once, moved, strict=True))
    tell("place in the recording", (use.reference_starts_s - at for (_, use), at in zip(once, places, strict=True)))
    tell("tempo, %", (100 * (use.tempo_ratio / piece.ratio - 1) for piece, use, _ in hits))
    tell("pitch, semitones", (pitch - piece.semitones for piece, _, pitch in hits))
    print(f"  made up: {len(made_up)} ({len(made_up) / long_s * 3600:.1f} an hour)", flush=True)


def tell_strangers(paths: list[Path], noise: list[F32], index: "FingerprintIndex", network: "Fingerprinter") -> None:
    """Ask for strangers whole; print how many uses are made up."""
    rng = np.random.default_rng(SEED)
    for snr_db in (None, 10.0, 0.0):
        n, long_s = 0, 0.0
        for path in paths:
            sound = sound_of(path) if snr_db is None else in_noise(sound_of(path), noise, snr_db, rng)
            n += len(uses_in(sound, index, network))
            long_s += len(sound) / RATE_HZ
        around = "plain" if snr_db is None else f"in noise {snr_db:g} dB below"
        print(f"strangers, {around}: {n} uses made up in {long_s / 3600:.2f} h", flush=True)


@benchmark(headline=r"uses in them: found (\d+\.\d)%")
@size("--mixes", "n_mixes", default=10, smallest=1, help="Mixes of twelve pieces.")
@size("--recordings", "n", default=1_000, smallest=5, help="Recordings of each part, at most.")
def main(n_mixes: int, n: int) -> None:
    """Index, then tell of mixes and of strangers."""
    import torch

    from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, Fingerprinter
    from recsys.matching.fingerprint_index import FingerprintIndex

    torch.set_num_threads(1)
    audio, network = audio_folder(), Fingerprinter.load()
    parts = {part: paths[:n] for part, paths in recordings(audio).items()}
    noise = [sound_of(path) for path in noises(audio)["test"][:n]]
    paths = [*parts["queried"], *parts["calibration"], *parts["train"][:N_FILLING]]
    vectors = [network.of_sound(sound_of(path), RATE_HZ)[::INDEX_STEP] for path in paths]
    index = FingerprintIndex.build([path.name for path in paths], vectors, version=network.version)
    tell_mixes(n_mixes, parts, noise, index, network)
    tell_strangers(parts["strangers"], noise, index, network)


if __name__ == "__main__":
    main()
