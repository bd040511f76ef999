"""
Does matching find music under speech better in the accompaniment stem than in the whole sound?

Queries are those of `bench.matching` under speech of eSpeak NG: of real recordings in an index, and of strangers that
are not in it. Each is answered as it is and after `recsys separate` took its vocals away. Printed are the shares at the
shipped threshold of 1 % false positives, of the sound, of its accompaniment, and of either (which lets in about twice
as many strangers), and the CPU time of an answer. Bar: a gain of 10 points at a threshold that lets in 1 %.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.audio import speech
from bench.options import Missing, audio_folder, benchmark, size
from recsys.arrays import F32, F64, Bool

if TYPE_CHECKING:
    from recsys.audio.separation.separator import Separator
    from recsys.matching.fingerprint_index import FingerprintIndex

LENGTH_S = 10
LEVELS_DB = (0, 6, 12)  # of the speech over the music


class Answers(NamedTuple):
    """Of each query: found at the threshold in the sound and in the accompaniment, (n, 2), and CPU seconds, (n, 2)."""

    is_found: Bool
    cpu_s: F64


@benchmark(headline=r"uses found +\+6 dB +\d+ % +(\d+) %")
@size("--queries", "n", default=40, smallest=1, help="Uses, and strangers, per level.")
@size("--indexed", "n_indexed", default=200, smallest=4, help="Real recordings in the index, at most.")
def main(n: int, n_indexed: int) -> None:
    """Print the shares found."""
    if not speech.is_installed():
        raise Missing("espeak-ng is not on the PATH. Install it (Debian: espeak-ng), and run again")
    import torch

    from bench.audio.recordings import recordings
    from bench.matching.queries import N_SPEECH, TEST, QuerySet
    from recsys.audio.separation.separator import Separator

    torch.set_num_threads(1)
    real = recordings(audio_folder())
    index = _index([*real[TEST.indexed], *real["train"]][:n_indexed])
    separator = Separator.load()
    print("music under speech, 10 s; share at the shipped threshold of 1 %")
    print("                             sound  accompaniment  either   CPU s: sound  accompaniment")
    with TemporaryDirectory() as folder:
        speech.make_speech(Path(folder) / "speech" / TEST.noise, TEST.noise, N_SPEECH)
        for part in (TEST.indexed, TEST.strangers):
            query_set = QuerySet(Path(folder), part, TEST.noise, LENGTH_S, n, n_indexed, with_peer=False)
            for louder_db in LEVELS_DB:
                _print(part == TEST.indexed, louder_db, _answers(query_set, louder_db, index, separator))


def _index(paths: list[Path]) -> "FingerprintIndex":
    from bench.matching.distortions import RATE_HZ
    from bench.matching.queries import read_sound
    from bench.matching.search import network
    from recsys.audio.fingerprint.fingerprinter import INDEX_STEP
    from recsys.matching.fingerprint_index import FingerprintIndex

    vectors = [network().vectors(read_sound(path), RATE_HZ)[::INDEX_STEP] for path in paths]
    return FingerprintIndex.build([path.name for path in paths], vectors, version=network().version)


def _answers(query_set: object, louder_db: int, index: "FingerprintIndex", separator: "Separator") -> Answers:
    return Answers(*map(np.array, zip(*_searched(query_set, louder_db, index, separator), strict=True)))


def _searched(
    query_set: object, louder_db: int, index: "FingerprintIndex", separator: "Separator"
) -> Iterator[tuple[list[bool], list[float]]]:
    """Yield for each query whether it is found in its sound and in its accompaniment, and what each cost."""
    from bench.matching.queries import queries

    for query in queries(query_set, f"under speech, {louder_db} dB louder"):  # type: ignore[arg-type]
        started = process_time()
        whole = _found(query.sound, index)
        searched = process_time()
        stem = _found(accompaniment(separator, query.sound), index)
        cpu_s = [searched - started, process_time() - searched]
        is_stranger = query_set.part != "queried"  # type: ignore[attr-defined]
        yield [bool(name) and (is_stranger or name == query.path.name) for name in (whole, stem)], cpu_s


def accompaniment(separator: "Separator", mono: F32) -> F32:
    """Return 16 kHz mono without its vocals, shape (n,)."""
    from bench.matching.distortions import RATE_HZ
    from recsys.audio.windows import HOP_S, WINDOW_S, crossfaded

    pairs = crossfaded(
        [mono[None]],
        lambda window: separator.vocals(window, RATE_HZ),
        n_window=WINDOW_S * RATE_HZ,
        n_hop=HOP_S * RATE_HZ,
    )
    return np.concatenate([(mix - vocals)[0] for mix, vocals in pairs])


def _found(mono: F32, index: "FingerprintIndex") -> str | None:
    """Return the recording that matches best, if it passes the shipped threshold of 1 %."""
    from bench.matching.distortions import RATE_HZ
    from bench.matching.search import best, looks_of
    from recsys.matching.uses import LOOSE

    found = best(index, looks_of(mono, RATE_HZ), LENGTH_S)
    return found.recording if found.significance > LOOSE else None


def _print(is_use: bool, louder_db: int, answers: Answers) -> None:
    whole, stem = 100 * answers.is_found.mean(axis=0)
    either = 100 * answers.is_found.any(axis=1).mean()
    cpu = "".join(f"{seconds:15.2f}" for seconds in np.median(answers.cpu_s, axis=0))
    kind = "uses found" if is_use else "strangers let in"
    print(f"{kind:<18}{louder_db:+3d} dB {whole:9.0f} %{stem:13.0f} %{either:8.0f} %{cpu}", flush=True)


if __name__ == "__main__":
    main()
