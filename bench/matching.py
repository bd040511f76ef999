"""
How many uses of a recording are found, and how many strangers are taken for one.

    RECSYS_AUDIO=... RECSYS_DATA=... python -m bench.matching [--calibrate] [--queries 100] [--rendered 100] [--hours H]

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

import argparse
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from threadpoolctl import threadpool_limits

from bench.matching_answers import ask, network, prepare
from bench.matching_fit import fitted
from bench.matching_price import tell_price
from bench.matching_queries import CALIBRATION, LENGTHS_S, TEST, Numbers
from bench.matching_report import tell
from bench.peers import chromaprint
from recsys.audio.fingerprint import SHIPPED
from recsys.similarity.match import Calibration

SHIPPED_CALIBRATION = SHIPPED / "calibration.json"
N_PROCESSES = 2


def calibrate(pool: Executor, home: Path, n: Numbers) -> Calibration:
    """Fit a judge for each length on the recordings and tunes kept for it."""
    judges = []
    for length_s in reversed(LENGTHS_S):
        judge = fitted(ask(pool, home, CALIBRATION, length_s, n), length_s)
        print(f"{length_s} s: 1 % point {judge.at_1_percent:.4f}, 0.1 % point {judge.at_01_percent:.4f}", flush=True)
        judges.append(judge)
    return Calibration(network().version, judges)


def main() -> None:
    """Calibrate, judge or time."""
    asks = argparse.ArgumentParser(description=__doc__)
    asks.add_argument("--calibrate", action="store_true", help="fit the shipped calibration")
    asks.add_argument("--queries", type=int, default=100, help="for each distortion and length: uses, real strangers")
    asks.add_argument("--rendered", type=int, default=100, help="for each distortion and length: rendered strangers")
    asks.add_argument("--hours", type=float, help="time queries in an index of this size [h]")
    told = asks.parse_args()
    with (
        TemporaryDirectory() as folder,
        ProcessPoolExecutor(N_PROCESSES, initializer=partial(threadpool_limits, 1)) as pool,
    ):
        home = Path(folder)
        is_judged = not (told.calibrate or told.hours)
        prepare(home, pool, with_peer=is_judged and chromaprint.is_installed())
        n = Numbers(told.queries, told.rendered)
        if told.calibrate:
            calibrate(pool, home, n).save(SHIPPED_CALIBRATION)
        if told.hours:
            tell_price(home, told.hours)
        if is_judged:
            judge(pool, home, n)


def judge(pool: Executor, home: Path, n: Numbers) -> None:
    """Print what is found of each length."""
    if not chromaprint.is_installed():
        print("Chromaprint is not compared: fpcalc is not on the PATH", file=sys.stderr)
    calibration = Calibration.load(SHIPPED_CALIBRATION)
    for length_s in LENGTHS_S:
        tell(ask(pool, home, TEST, length_s, n), calibration.judge(length_s), length_s)


if __name__ == "__main__":
    main()
