"""
Real recordings that are not in the index: the share that the shipped thresholds let in, of some 300 of them.

`bench.matching` has only the recordings of its part of strangers. Here two indexes take turns: what one holds is a
stranger to the other, and so are the training recordings that neither holds. Recordings that the calibration heard as
strangers are left out. Held-back recordings were used neither in training nor in calibration. Those of the training
are stated apart; the network heard them, which makes them more confusable.

Each window is searched at its own pitch and after shifts, as `recsys match` does (`bench.matching.search`). Windows are
clean, at most --windows of each recording and length, and distorted: --distorted excerpts of each, under
as many of the 31 distortions. Intervals of 95 % are bootstrapped over recordings.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.audio.recordings import recordings
from bench.options import audio_folder, benchmark, size
from recsys.arrays import F32

if TYPE_CHECKING:
    from recsys.matching.fingerprint_index import FingerprintIndex

HELD_BACK, TRAINING = "held back", "of the training"
Looks = list[
    F32
]  # vectors at the pitch of a sound and after shifts, a quarter of a second apart, each of shape (n, 128)
Window = tuple[str, int, Looks]  # "clean" or "distorted", its length [s], and its looks


class Side(NamedTuple):
    """The recordings of an index, and those that are strangers to it."""

    indexed: list[Path]
    strangers: list[Path]


class RecordingVectors(NamedTuple):
    """The looks at a recording, and distorted windows of it."""

    whole: Looks
    distorted: list[Window]


class Answer(NamedTuple):
    """The significance of a window of a stranger; its recording, kind, distortion ("clean" or not), length."""

    recording: str
    kind: str
    distortion: str
    length_s: int
    significance: float


@benchmark(headline=r"held back, clean, 10 s: +(\d+\.\d+)%")
@size("--windows", "n_windows", default=3, smallest=1, help="Clean windows per recording and length, at most.")
@size("--distorted", "n_distorted", default=2, smallest=1, help="Distorted excerpts per recording.")
@size("--recordings", "n", default=1_000, smallest=3, help="Recordings per part, at most.")
def main(n_windows: int, n_distorted: int, n: int) -> None:
    """Search the strangers of both indexes, and print the shares let in."""
    import torch

    from bench.matching.search import best

    torch.set_num_threads(1)
    parts = {part: paths[:n] for part, paths in recordings(audio_folder()).items()}
    two, training = sides(parts), set(parts["train"])
    strangers = {path for side in two for path in side.strangers}
    paths = sorted(strangers.union(*(side.indexed for side in two)))
    heard = {path: _fingerprinted(path, n_distorted if path in strangers else 0) for path in paths}
    answers: list[Answer] = []
    for side in two:
        index = _index(side.indexed, heard)
        for path in side.strangers:
            kind = TRAINING if path in training else HELD_BACK
            for distortion, length_s, window in (*_clean(heard[path].whole, n_windows), *heard[path].distorted):
                answers.append(
                    Answer(path.name, kind, distortion, length_s, best(index, window, length_s).significance)
                )
    print_shares(answers)


def sides(parts: dict[str, list[Path]]) -> tuple[Side, Side]:
    """
    Return two indexes with their strangers.

    Training recordings that distortions mix in are in no index; those that the calibration heard as strangers are
    strangers of none.
    """
    from bench.matching.fit import FILLING_PACKAGES, package_of
    from bench.matching.queries import N_FILLING, N_OTHERS

    train, half = parts["train"], min(N_FILLING, len(parts["train"]) // 2)
    heard = set(sorted({package_of(path.name) for path in train})[::FILLING_PACKAGES])
    first, mixed_in, second = train[:half], train[half : half + N_OTHERS], train[half + N_OTHERS :]
    new = [path for path in train if package_of(path.name) not in heard]
    return (
        Side([*parts["queried"], *parts["calibration"], *first], [*parts["strangers"], *_both(new, mixed_in + second)]),
        Side([*parts["strangers"], *parts["calibration"], *second], [*parts["queried"], *_both(new, first)]),
    )


def _both(some: Sequence[Path], others: Sequence[Path]) -> list[Path]:
    return [path for path in some if path in set(others)]


def _fingerprinted(path: Path, n_distorted: int) -> RecordingVectors:
    """Fingerprint a recording and distorted excerpts of it."""
    from bench.matching.distortions import RATE_HZ
    from bench.matching.search import looks_of
    from recsys.audio.signal import read_audio

    sound = read_audio(path).mono(RATE_HZ)
    return RecordingVectors(looks_of(sound, RATE_HZ), list(_distorted(path.name, sound, n_distorted)))


def _index(paths: list[Path], heard: dict[Path, RecordingVectors]) -> "FingerprintIndex":
    from bench.matching.search import network
    from recsys.audio.fingerprint.fingerprinter import INDEX_STEP
    from recsys.matching.fingerprint_index import FingerprintIndex

    stored = [heard[path].whole[0][::INDEX_STEP] for path in paths]
    return FingerprintIndex.build([path.name for path in paths], stored, version=network().version)


def _clean(looks: Looks, n: int) -> Iterator[Window]:
    """Yield n windows of each length, spread over a recording."""
    from bench.matching.queries import LENGTHS_S
    from recsys.matching.calibrate import window_vectors, windows

    for length_s in LENGTHS_S:
        found = list(windows(np.concatenate(looks, axis=1), window_vectors(length_s)))
        for row in np.unique(np.linspace(0, len(found) - 1, min(n, len(found))).astype(int)):
            yield "clean", length_s, np.split(found[row], len(looks), axis=1)


def _distorted(name: str, sound: F32, n: int) -> Iterator[Window]:
    """Yield the beginnings, of each length, of n excerpts of a recording under different distortions."""
    from bench.matching.distortions import DISTORTIONS, RATE_HZ, Background
    from bench.matching.queries import LENGTHS_S, N_OTHERS, TEST, background, excerpt
    from bench.matching.search import looks_of
    from recsys.matching.calibrate import window_vectors

    rng = np.random.default_rng(list(name.encode()))
    covers = Background(*background(audio_folder(), TEST.noise, N_OTHERS), rng)
    for distortion in rng.permutation(list(DISTORTIONS)[1:])[:n]:
        _, part = excerpt(sound, DISTORTIONS[distortion], max(LENGTHS_S), rng)
        looks = looks_of(DISTORTIONS[distortion].change(part, covers)[: max(LENGTHS_S) * RATE_HZ], RATE_HZ)
        for length_s in LENGTHS_S if looks[0].any() else ():
            yield "distorted", length_s, [look[: window_vectors(length_s)] for look in looks]


def print_shares(answers: Sequence[Answer]) -> None:
    """Print for each kind of stranger, distortion and length the share let in at both thresholds."""
    from bench.matching.queries import LENGTHS_S

    print("let in at the shipped point of 1 %; of .1 %")
    for kind in (HELD_BACK, TRAINING, ""):
        for distortion in ("clean", "distorted"):
            for length_s in LENGTHS_S:
                chosen = [
                    one
                    for one in answers
                    if kind in one.kind and (one.distortion, one.length_s) == (distortion, length_s)
                ]
                if chosen:
                    name = f"{kind or 'all'}, {distortion}, {length_s} s:"
                    print(f"{name:<34}{_shares(chosen)}", flush=True)


def _shares(answers: Sequence[Answer]) -> str:
    from bench.matching.report import Outcome
    from recsys.matching.uses import LOOSE, STRICT

    scores = np.array([one.significance for one in answers])
    names = np.array([one.recording for one in answers])
    outcome = Outcome(scores, np.zeros(len(scores), np.bool_), np.array([one.distortion for one in answers]), names)
    return f"{outcome.accepted(LOOSE)} recordings; {outcome.share_accepted(STRICT)}"


if __name__ == "__main__":
    main()
