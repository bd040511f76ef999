"""
How many uses of a recording are found, and how many strangers are taken for one.

Queries are cut out of real recordings that training never met, distorted in 31 ways (`bench.distorted`) with noise that
training never met, and looked for among 309 recordings: 249 real, 60 rendered. Strangers are in no index. Where
`fpcalc` is on the PATH, Chromaprint gets the same queries and the same index in the same run.

Told are, for 10, 5 and 3 s: the share found at 1 % false positives, where the cuts of both matchers are set on the same
real strangers; and, for the shipped points of 1 % and 0.1 %, what is found and the false positives that come. The
shipped points were fitted on other recordings, other tunes and other noise: `--calibrate` does that, and nothing else.
A point of 0.1 % asks for more strangers than there are real recordings, so 310 rendered pieces stand in for them
(`bench.rendered`); they are told apart from real ones. Intervals of 95 % are over recordings, drawn again.

With `--hours` the index is filled up to that size with perturbed copies, and queries are timed.
"""

import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from threadpoolctl import threadpool_limits

from bench.options import audio_folder, benchmark, data_folder, size
from bench.peers import chromaprint

if TYPE_CHECKING:
    from bench.matching.queries import Numbers

N_PROCESSES = 2


def calibrate(pool: Executor, home: Path, n: "Numbers") -> None:
    """Fit a judge for each length on the recordings and tunes kept for it, and write them where the matching ships."""
    from bench.matching.answers import ask, network
    from bench.matching.fit import fitted
    from bench.matching.queries import CALIBRATION, LENGTHS_S
    from recsys.audio.fingerprint.fingerprinter import DEFAULT_FOLDER
    from recsys.matching.alignment import Calibration

    judges = []
    for length_s in reversed(LENGTHS_S):
        judge = fitted(ask(pool, home, CALIBRATION, length_s, n), length_s)
        print(
            f"{length_s} s: 1 % point {judge.threshold_1_percent:.4f}, 0.1 % point {judge.threshold_01_percent:.4f}",
            flush=True,
        )
        judges.append(judge)
    Calibration(network().version, judges).save(DEFAULT_FOLDER / "calibration.json")


@benchmark(headline=r"mean over the 31 +(\d+\.\d)%")
@click.option("--calibrate", "is_calibrated", is_flag=True, help="Fit the shipped calibration.")
@size("--queries", default=100, smallest=1, help="For each distortion and length: uses, real strangers.")
@size("--rendered", default=100, smallest=1, help="For each distortion and length: rendered strangers.")
@size("--recordings", "most", default=1_000, smallest=4, help="Recordings of each part, at most.")
@size("--length", "lengths_s", multiple=True, type=click.Choice([10, 5, 3]), default=(10, 5, 3), smallest=(3,))
@click.option("--hours", type=float, help="Time queries in an index of this size [h].")
def main(
    is_calibrated: bool, queries: int, rendered: int, most: int, lengths_s: tuple[int, ...], hours: float | None
) -> None:
    """Calibrate, judge or time."""
    audio_folder(), data_folder()  # both are needed: said at once
    from bench.matching.answers import prepare
    from bench.matching.price import tell_price
    from bench.matching.queries import Numbers

    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(N_PROCESSES, initializer=partial(threadpool_limits, 1)) as pool,
    ):
        home, n = Path(folder), Numbers(queries, rendered, most)
        is_judged = not (is_calibrated or hours)
        prepare(home, pool, most, with_peer=is_judged and chromaprint.is_installed())
        if is_calibrated:
            calibrate(pool, home, n)
        if hours:
            tell_price(home, hours, most)
        if is_judged:
            judge(pool, home, n, lengths_s)


def judge(pool: Executor, home: Path, n: "Numbers", lengths_s: tuple[int, ...]) -> None:
    """Print what is found of each length."""
    from bench.matching.answers import ask
    from bench.matching.queries import TEST
    from bench.matching.report import tell
    from recsys.matching.cue_sheets import shipped_calibration

    if not chromaprint.is_installed():
        print("Chromaprint is not compared: fpcalc is not on the PATH (Debian: libchromaprint-tools)", file=sys.stderr)
    for length_s in lengths_s:
        tell(ask(pool, home, TEST, length_s, n), shipped_calibration().classifier(length_s), length_s)


if __name__ == "__main__":
    main()
