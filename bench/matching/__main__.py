"""
Matching: the share of uses of a recording that are found, and the false-positive rate on strangers.

Queries are excerpts of real recordings that training never met. Each is searched as `recsys match` does, at its own
pitch and after shifts (`bench.matching.search`). Each is distorted in 31 ways
(`bench.matching.distortions`) with noise that training never met, and searched in an index of 309 recordings: 249 real,
60 rendered. A use is a query from an indexed recording; a stranger is a query from a recording that is not in the
index. Where `fpcalc` is on the PATH, Chromaprint gets the same queries and the same index in the same run.

Reported for queries of 10, 5 and 3 s: the share found at 1 % false positives, with the thresholds of both matchers set
on the same real strangers; and, for the shipped thresholds of 1 % and 0.1 %, the share found and the false positives,
also on sounds that are no music (`bench.matching.sounds`). Music under speech is reported beside the 31 distortions
where `espeak-ng` is on the PATH. The last table repeats the main figures in Markdown.
The shipped thresholds were fitted on other recordings, other tunes and other noise; `--calibrate` fits them and does
nothing else. A threshold of 0.1 % needs more strangers than there are real recordings, so 310 rendered pieces stand in
(`bench.audio.rendered`); they are reported apart from real ones. Intervals of 95 % are bootstrapped over recordings.

With --hours, the index is enlarged to that size with perturbed copies, and queries in it and changes of it are timed.
With --folder, an interrupted run with the same network and sizes continues where it stopped.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from threadpoolctl import threadpool_limits

from bench.audio import speech
from bench.options import audio_folder, benchmark, data_folder, size
from bench.peers import chromaprint

if TYPE_CHECKING:
    from bench.matching.queries import QueryCounts

N_PROCESSES = 2


def calibrate(pool: Executor, home: Path, counts: "QueryCounts") -> None:
    """Fit a match classifier per query length on the calibration part, and write them into the package."""
    from bench.matching.fit import development, fit
    from bench.matching.queries import CALIBRATION, LENGTHS_S, render
    from bench.matching.search import network
    from recsys.audio.fingerprint.fingerprinter import DEFAULT_FOLDER
    from recsys.matching.alignment import Calibration

    render(home, pool, counts.max_per_part, [CALIBRATION])
    classifiers, data = [], development(pool, home, counts)
    for length_s in reversed(LENGTHS_S):
        uses, strangers = data.uses(length_s), data.negatives(length_s)
        classifier = fit(uses, strangers, length_s)
        print(f"{length_s} s: {len(uses)} uses, {len(strangers)} strangers", flush=True)
        thresholds = f"1 % {classifier.threshold_1_percent:.4f}, 0.1 % {classifier.threshold_01_percent:.4f}"
        print(f"  thresholds for false-positive rates of at most {thresholds}", flush=True)
        classifiers.append(classifier)
    Calibration(network().version, classifiers).save(DEFAULT_FOLDER / "calibration.json")


@contextmanager
def _home(folder: Path | None, counts: "QueryCounts") -> Iterator[Path]:
    """Yield the folder of a run, which depends on the network and the sizes; without `folder`, a temporary one."""
    from bench.matching.search import network

    if folder:
        yield folder / f"{network().version} {counts.real} {counts.rendered} {counts.max_per_part}"
        return
    with TemporaryDirectory() as temporary:
        yield Path(temporary)


@benchmark(headline=r"mean over the 31 +(\d+\.\d)%")
@click.option("--calibrate", "calibrating", is_flag=True, help="Fit the shipped calibration.")
@size("--queries", default=100, smallest=1, help="Uses, and real strangers, per distortion and length.")
@size("--rendered", default=100, smallest=1, help="Rendered strangers per distortion and length.")
@size("--recordings", "max_per_part", default=1_000, smallest=4, help="Recordings per part, at max_per_part.")
@size("--length", "lengths_s", multiple=True, type=click.Choice([10, 5, 3]), default=(10, 5, 3), smallest=(3,))
@size(
    "--distortion", "distortions", multiple=True, default=(), smallest=("clean", "pitch +1"), help="Without it, all 31."
)
@click.option("--hours", type=float, help="Time queries in an index of this size [h].")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep the run here, to continue it.")
def main(
    calibrating: bool,
    queries: int,
    rendered: int,
    max_per_part: int,
    lengths_s: tuple[int, ...],
    distortions: tuple[str, ...],
    hours: float | None,
    folder: Path | None,
) -> None:
    """Evaluate matching; or calibrate it, or time queries in a large index."""
    audio_folder(), data_folder()  # raise before any work if one of the folders is missing
    from bench.matching.answers import prepare
    from bench.matching.costs import print_costs
    from bench.matching.queries import QueryCounts

    counts = QueryCounts(queries, rendered, max_per_part)
    with (
        _home(folder, counts) as home,
        ProcessPoolExecutor(N_PROCESSES, initializer=partial(threadpool_limits, 1)) as pool,
    ):
        if calibrating:
            calibrate(pool, home, counts)
            return
        prepare(home, pool, max_per_part, with_peer=not hours and chromaprint.is_installed())
        if hours:
            print_costs(home, hours, max_per_part)
        else:
            evaluate(pool, home, counts, lengths_s, distortions)


def evaluate(
    pool: Executor, home: Path, counts: "QueryCounts", lengths_s: tuple[int, ...], distortions: tuple[str, ...]
) -> None:
    """Print one table per query length, and the main figures of all."""
    from bench.matching.answers import run_queries
    from bench.matching.distortions import DISTORTIONS
    from bench.matching.queries import TEST
    from bench.matching.report import print_report, print_summary, summary

    if not chromaprint.is_installed():
        print("Chromaprint is not compared: fpcalc is not on the PATH (Debian: libchromaprint-tools)", file=sys.stderr)
    if not speech.is_installed():
        print("Music under speech is not measured: espeak-ng is not on the PATH (Debian: espeak-ng)", file=sys.stderr)
    summaries = {}
    for length_s in lengths_s:
        results = run_queries(pool, home, TEST, length_s, counts, distortions or list(DISTORTIONS))
        print_report(results, length_s)
        summaries[length_s] = summary(results)
    print_summary(summaries)


if __name__ == "__main__":
    main()
