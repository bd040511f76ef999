"""
How many uses of a recording are found, and how many strangers are taken for one.

    RECSYS_AUDIO=... python -m bench.matching [--calibrate] [--queries N] [--hours H]

Queries are cut out of real recordings that training never met, distorted in 31 ways (`bench.distorted`) with noise that
training never met, and looked for among 249 recordings; strangers are in no index. With `--calibrate` the shipped
calibration is fitted, on another part of the recordings. Shares are told with 95 % intervals over recordings. With
`--hours` the index is filled up to that size with perturbed copies, and queries are timed.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import process_time
from zlib import crc32

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from bench.distorted import DISTORTIONS, RATE_HZ, Around, Distortion
from bench.recordings import noises, recordings
from recsys.audio.fingerprint import APART_S, INDEX_STEP, SHIPPED, Fingerprinter
from recsys.audio.signal import F32, read_audio
from recsys.similarity.match import Calibration, Judge, answer
from recsys.similarity.prints import Prints

LENGTHS_S = (3, 5, 10)
N_FILLING = 150  # recordings of training in the index, never asked for
N_OTHERS = 50  # that are mixed in as other music
PARTS = {  # asked for and in the index; asked for and not in it; noise
    "calibration": ("calibration", "calibration strangers", "calibration"),
    "test": ("queried", "strangers", "test"),
}
CALIBRATION = SHIPPED / "calibration.json"
ROWS = ("mean over the 31", "clean and mp3", "pitch", "phone", "real noise -5 dB", "speed 5 %")
PERTURBED = 0.5  # length of what is added to a vector of length 1
N_RESAMPLED, PENALTY, SEED = 1_000, 1e-4, 7


@dataclass(frozen=True, eq=False)
class Asked:
    """
    A query and what was answered.

    Attributes:
        distortion: Its name.
        recording: What it was cut out of.
        evidence: See `answer`.
        is_found: Whether the best alignment is of the recording.
        off_s: How far its beginning is off; nan where it is not found [s].
        cpu_s: Of the fingerprint, of the answer.
    """

    distortion: str
    recording: str
    evidence: npt.NDArray[np.float64]
    is_found: bool
    off_s: float
    cpu_s: tuple[float, float]


@cache
def _audio() -> Path:
    return Path(os.environ["RECSYS_AUDIO"])


@cache
def _sound(path: Path) -> F32:
    return read_audio(path).mono(RATE_HZ)


@cache
def _network() -> Fingerprinter:
    torch.set_num_threads(1)
    return Fingerprinter.load(SHIPPED)


@cache
def _index() -> Prints:
    parts = recordings(_audio())
    paths = [*parts["queried"], *parts["calibration"], *parts["train"][:N_FILLING]]
    vectors = [_network().vectors(_sound(path), RATE_HZ)[::INDEX_STEP] for path in paths]
    return Prints.build([path.name for path in paths], vectors, version=_network().version)


@cache
def _around(noise: str) -> tuple[list[F32], list[F32]]:
    others = recordings(_audio())["train"][N_FILLING : N_FILLING + N_OTHERS]
    return [_sound(path) for path in noises(_audio())[noise]], [_sound(path) for path in others]


def queries(name: str, part: str, noise: str, length_s: int, n: int) -> Iterator[tuple[Path, float, F32]]:
    """Cut pieces out of the recordings of a part, by turns, and distort them: recording, where from [s], sound."""
    distortion = DISTORTIONS[name]
    rng = np.random.default_rng([SEED, crc32(f"{name} {part} {length_s}".encode())])
    around = Around(*_around(noise), rng)
    paths = recordings(_audio())[part]
    order = np.concatenate([rng.permutation(len(paths)) for _ in range(1 + n // len(paths))])[:n]
    for at in order:
        sound = _sound(paths[at])
        start, piece = _piece(sound, distortion, length_s, rng)
        yield paths[at], start / RATE_HZ, distortion.change(piece, around)[: length_s * RATE_HZ]


def _piece(sound: F32, distortion: Distortion, length_s: int, rng: np.random.Generator) -> tuple[int, F32]:
    n = int(length_s * distortion.ratio * RATE_HZ) + RATE_HZ // 10
    start = int(rng.integers(max(1, len(sound) - n)))
    return start, sound[start : start + n]


def ask(name: str, *, part: str, noise: str, length_s: int, n: int) -> list[Asked]:
    """Ask for n pieces under one distortion."""
    told = []
    index = _index()
    for path, start_s, sound in queries(name, part, noise, length_s, n):
        begun = process_time()
        vectors = _network().vectors(sound, RATE_HZ)
        heard = process_time()
        found = answer(index, vectors)
        cpu_s = (heard - begun, process_time() - heard)
        first = found.alignments[0] if found.alignments else None
        is_found = first is not None and first.track_id == path.name
        off_s = abs(first.offset_s - start_s) if first is not None and is_found else np.nan
        told.append(Asked(name, path.name, found.evidence, is_found, off_s, cpu_s))
    return told


def asked(pool: ProcessPoolExecutor, part: str, noise: str, length_s: int, n: int) -> list[Asked]:
    """Ask for n pieces under each distortion."""
    each = pool.map(partial(ask, part=part, noise=noise, length_s=length_s, n=n), DISTORTIONS)
    return [one for some in each for one in some]


def fitted(known: list[Asked], strangers: list[Asked], length_s: int) -> Judge:
    """Fit a judge on queries that were found, and on strangers."""
    right = [each.evidence for each in known if each.is_found]
    x = np.stack([*right, *(each.evidence for each in strangers)])
    sign = np.r_[np.ones(len(right)), -np.ones(len(strangers))]
    mean, spread = x.mean(axis=0), x.std(axis=0)
    design = np.c_[(x - mean) / spread, np.ones(len(x))]

    def loss(weights: npt.NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -sign * (design @ weights)).mean() + PENALTY * np.square(weights).sum())

    weights = minimize(loss, np.zeros(design.shape[1])).x
    judge = Judge(length_s, mean.tolist(), spread.tolist(), weights.tolist())
    chances = judge.probability(np.stack([each.evidence for each in strangers]))
    at_1, at_01 = (float(np.quantile(chances, share)) for share in (0.99, 0.999))
    return replace(judge, at_1_percent=at_1, at_01_percent=at_01)


def calibrate(pool: ProcessPoolExecutor, n: int) -> Calibration:
    """Fit a judge for each length on the recordings kept for it."""
    judges = []
    part, strange, noise = PARTS["calibration"]
    for length_s in LENGTHS_S:
        judge = fitted(asked(pool, part, noise, length_s, n), asked(pool, strange, noise, length_s, n), length_s)
        print(f"{length_s} s: 1 % of strangers above {judge.at_1_percent:.3f}, .1 % above {judge.at_01_percent:.3f}")
        judges.append(judge)
    return Calibration(_network().version, judges)


def judged(pool: ProcessPoolExecutor, calibration: Calibration, length_s: int, n: int) -> None:
    """Print the shares found at 1 % false positives of one length."""
    part, strange, noise = PARTS["test"]
    known, strangers = (asked(pool, each, noise, length_s, n) for each in (part, strange))
    judge = calibration.judge(length_s)
    chance, chance_of_stranger = (
        judge.probability(np.stack([each.evidence for each in some])) for some in (known, strangers)
    )
    cut = np.quantile(chance_of_stranger, 0.99)
    is_found = np.array([each.is_found for each in known])
    names = np.array([each.distortion for each in known])
    who = np.array([each.recording for each in known])
    hit = is_found & (chance > cut)
    print(f"\n{length_s} s, top-1 at 1 % false positives")
    for row in ROWS:
        groups = [name for name, each in DISTORTIONS.items() if row in each.groups] or list(DISTORTIONS)
        of_row = np.isin(names, groups)
        print(f"  {row:30s} {_share(hit[of_row], who[of_row])}, first at any score {is_found[of_row].mean():.1%}")
    for name in DISTORTIONS:
        print(f"    {name:28s} {hit[names == name].mean():.1%}")
    off_s = np.array([each.off_s for each in known])[hit]
    cpu_ms = 1000 * np.array([each.cpu_s for each in known]).mean(axis=0)
    false = chance_of_stranger > judge.at_1_percent
    strange_who = np.array([each.recording for each in strangers])
    print(f"  offset off by {np.median(off_s):.3f} s (median), {np.quantile(off_s, 0.95):.3f} s (95 %)")
    print(f"  at the shipped 1 % point: {_share((chance > judge.at_1_percent) & is_found, who)}")
    print(f"    false positives there: {_share(false, strange_who)} of {len(strangers):,} queries")
    print(f"  CPU of a query: fingerprint {cpu_ms[0]:.1f} ms, answer {cpu_ms[1]:.1f} ms", flush=True)


def _share(hits: npt.NDArray[np.bool_], who: npt.NDArray[np.str_]) -> str:
    """Return a share with its interval, by drawing recordings again."""
    rng = np.random.default_rng(SEED)
    _, of = np.unique(who, return_inverse=True)
    n, good = np.bincount(of), np.bincount(of, hits)
    drawn = rng.integers(len(n), size=(N_RESAMPLED, len(n)))
    low, high = np.quantile(good[drawn].sum(axis=1) / n[drawn].sum(axis=1), (0.025, 0.975))
    return f"{hits.mean():.1%} [{low:.1%}, {high:.1%}]"


def filled(hours: float) -> Prints:
    """Fill the index up with perturbed copies of its recordings."""
    index, rng = _index(), np.random.default_rng(SEED)
    ids, vectors = list(index.ids), [index.vectors(*index.starts[at : at + 2]) for at in range(len(index))]
    n_wanted, n_own = int(hours * 3_600 / (INDEX_STEP * APART_S)), len(vectors)
    n = sum(map(len, vectors))
    while n < n_wanted:
        copied = vectors[len(vectors) % n_own]
        moved = copied + PERTURBED * rng.standard_normal(copied.shape, np.float32) / np.sqrt(copied.shape[1])
        vectors.append(np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), np.float32))
        ids.append(f"copy {len(ids)}")
        n += len(copied)
    return Prints.build(ids, vectors, version=index.version)


def timed(hours: float) -> None:
    """Print the size of an index of so many hours, and the CPU time of queries of 10 s."""
    own = recordings(_audio())["queried"]
    begun = process_time()
    rows = sum(len(_network().vectors(read_audio(path).mono(RATE_HZ), RATE_HZ)) for path in own)
    heard_h = rows * APART_S / 3_600
    print(f"indexing, with decoding: {(process_time() - begun) / heard_h:.1f} CPU-s for an hour of audio")
    index = filled(hours)
    pieces = list(queries("phone", PARTS["test"][0], PARTS["test"][2], 10, len(own)))
    vectors = [_network().vectors(sound, RATE_HZ) for _, _, sound in pieces]
    begun = process_time()
    answers = [answer(index, each) for each in vectors]
    each_ms = 1000 * (process_time() - begun) / len(vectors)
    first = [found.alignments[0].track_id if found.alignments else "" for found in answers]
    right = np.mean([name == path.name for name, (path, _, _) in zip(first, pieces, strict=True)])
    n_rows = int(index.starts[-1])
    print(
        f"{n_rows * INDEX_STEP * APART_S / 3_600:.0f} h: {n_rows:,} vectors, "
        f"{index.n_bytes / 2**20 / (n_rows * INDEX_STEP * APART_S / 3_600):.2f} MB an hour; "
        f"10 s by phone: {each_ms:.1f} ms CPU, the original first in {right:.0%}"
    )


def main() -> None:
    """Calibrate or judge."""
    asks = argparse.ArgumentParser(description=__doc__)
    asks.add_argument("--calibrate", action="store_true", help="fit the shipped calibration first")
    asks.add_argument("--queries", type=int, default=100, help="for each distortion and length")
    asks.add_argument("--hours", type=float, help="time queries in an index of this size [h]")
    told = asks.parse_args()
    if told.hours:
        return timed(told.hours)
    with ProcessPoolExecutor(2) as pool:
        if told.calibrate:
            calibrate(pool, told.queries).save(CALIBRATION)
        calibration = Calibration.load(CALIBRATION)
        for length_s in LENGTHS_S:
            judged(pool, calibration, length_s, told.queries)
    return None


if __name__ == "__main__":
    main()
