"""
Cue sheets of long mixes: how many uses are found, from when to when, how transformed, and how many are made up.

    RECSYS_AUDIO=... python -m bench.cue_sheets [--mixes N]

A mix is a row of pieces of 12 to 40 s, one fading into the next: of recordings that are in the index, each changed in
its own way, and of strangers. All of these recordings, and the noise, are ones that training and calibration never met.
Then all strangers are asked for one by one, plain and in noise: every use that is told of them is made up.
"""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from bench.recordings import noises, recordings
from recsys.audio import distort
from recsys.audio.fingerprint import INDEX_STEP, RATE_HZ, SHIPPED, Fingerprinter
from recsys.audio.signal import F32, read_audio
from recsys.matching.cue import Use, uses
from recsys.matching.pitch import excerpt_of, pitch_of
from recsys.similarity.match import Calibration
from recsys.similarity.prints import Prints

N_FILLING, N_PIECES, FADE_S, SEED = 150, 12, 2.0, 7
SHORTEST_S, LONGEST_S, SHARE_KNOWN = 12.0, 40.0, 0.6


@dataclass(frozen=True)
class Piece:
    """What is in a mix: whose (None for a stranger's), from when to when, where from, and how it was changed."""

    recording: str | None
    starts_s: float
    ends_s: float
    reference_s: float
    ratio: float
    semitones: float


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


def mix(known: list[Path], strange: list[Path], noise: list[F32], rng: np.random.Generator) -> tuple[F32, list[Piece]]:
    """Make a mix; the truth beside it."""
    fade = int(FADE_S * RATE_HZ)
    sound, pieces = np.zeros(0, np.float32), []
    for _ in range(N_PIECES):
        is_known = rng.random() < SHARE_KNOWN
        path = (known if is_known else strange)[int(rng.integers(len(known if is_known else strange)))]
        whole = read_audio(path).mono(RATE_HZ)
        n = int(rng.uniform(SHORTEST_S, LONGEST_S) * RATE_HZ)
        first = int(rng.integers(max(1, len(whole) - n)))
        part, ratio, semitones = changed(whole[first : first + n], rng)
        part = part / max(float(np.sqrt(np.square(part).mean())), 1e-3) * np.float32(0.1)
        part[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
        part[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        start = max(0, len(sound) - fade)
        sound = np.concatenate([sound, np.zeros(start + len(part) - len(sound), np.float32)])
        sound[start:] += part
        name = path.name if is_known else None
        pieces.append(Piece(name, start / RATE_HZ, (start + len(part)) / RATE_HZ, first / RATE_HZ, ratio, semitones))
    around = np.resize(np.concatenate([noise[at] for at in rng.permutation(len(noise))]), len(sound))
    return distort.with_other(sound, around, 15, rng), pieces


def overlap_s(use: Use, piece: Piece) -> float:
    """How long a use and a piece go together [s]."""
    return min(use.ends_s, piece.ends_s) - max(use.starts_s, piece.starts_s)


def excerpt(sound: F32, use: Use) -> F32:
    """What is listened to of a use."""
    starts_s, ends_s = excerpt_of(use)
    return sound[round(starts_s * RATE_HZ) : round(ends_s * RATE_HZ)]


def main() -> None:
    """Make mixes, find what is in them, print how well."""
    asks = argparse.ArgumentParser(description=__doc__)
    asks.add_argument("--mixes", type=int, default=10)
    n_mixes = asks.parse_args().mixes
    torch.set_num_threads(1)
    audio, network = Path(os.environ["RECSYS_AUDIO"]), Fingerprinter.load()
    parts, noise = recordings(audio), [read_audio(path).mono(RATE_HZ) for path in noises(audio)["test"]]
    paths = [*parts["queried"], *parts["calibration"], *parts["train"][:N_FILLING]]
    index = Prints.build(
        [path.name for path in paths],
        [network.vectors(read_audio(path).mono(RATE_HZ), RATE_HZ)[::INDEX_STEP] for path in paths],
        version=network.version,
    )
    calibration = Calibration.load(SHIPPED / "calibration.json")
    rng = np.random.default_rng(SEED)
    told: list[tuple[Piece, Use | None, float]] = []
    n_false, long_s = 0, 0.0
    for _ in range(n_mixes):
        sound, pieces = mix(parts["queried"], parts["strangers"], noise, rng)
        vectors = np.concatenate(list(network.stream([sound])))
        found = uses(index, vectors, calibration)
        long_s += len(sound) / RATE_HZ
        for piece in (each for each in pieces if each.recording):
            own = [use for use in found if use.audio_id == piece.recording and overlap_s(use, piece) > 2]
            best = max(own, key=lambda use: overlap_s(use, piece), default=None)
            pitch = float("nan") if best is None else pitch_of(index, best, excerpt(sound, best), network)
            told.append((piece, best, pitch))
        real = [use for use in found if any(use.audio_id == p.recording and overlap_s(use, p) > 1 for p in pieces)]
        n_false += len(found) - len(real)
        for use in found:
            if use not in real:
                print("  made up:", use)
    hits = [(piece, use, pitch) for piece, use, pitch in told if use is not None]
    print(f"{n_mixes} mixes, {long_s / 60:.0f} minutes, {len(told)} uses in them: found {len(hits) / len(told):.1%}")
    for name, off in (
        ("start", [use.starts_s - piece.starts_s for piece, use, _ in hits]),
        ("end", [use.ends_s - piece.ends_s for piece, use, _ in hits]),
        (
            "place in the recording",
            [
                use.reference_starts_s - (piece.reference_s + piece.ratio * (use.starts_s - piece.starts_s))
                for piece, use, _ in hits
                if use.n_places == 1
            ],
        ),
        ("tempo, %", [100 * (use.tempo_ratio / piece.ratio - 1) for piece, use, _ in hits]),
        ("pitch, semitones", [pitch - piece.semitones for piece, _, pitch in hits]),
    ):
        size = np.abs(off)
        print(f"  {name}: off by {np.median(size):.2f} (median), {np.quantile(size, 0.9):.2f} (90 %)")
    print(f"  made up: {n_false} ({n_false / long_s * 3600:.1f} an hour)")
    n_strange, strange_s = 0, 0.0
    for snr_db in (None, 10, 0):
        n_strange, strange_s = 0, 0.0
        for path in parts["strangers"]:
            sound = read_audio(path).mono(RATE_HZ)
            if snr_db is not None:
                around = np.resize(np.concatenate([noise[at] for at in rng.permutation(len(noise))]), len(sound))
                sound = distort.with_other(sound, around, snr_db, rng)
            n_strange += len(uses(index, np.concatenate(list(network.stream([sound]))), calibration))
            strange_s += len(sound) / RATE_HZ
        print(f"strangers, noise {snr_db} dB: {n_strange} uses told in {strange_s / 3600:.2f} h")


if __name__ == "__main__":
    main()
