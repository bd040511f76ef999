"""
How many of a hundred seeded faults the tests catch, to hold a change of the tests to those before it.

    python -m bench.faults --checkout DIR --work DIR      trace both suites once, then run every fault not yet run
    python -m bench.faults --limit 2 --tests tests/test_vocab.py      the smallest size: two faults, one file of tests
    python -m bench.faults --list                          choose the faults anew: bench/faults/faults.csv

A fault is one line of `recsys/` or `sql/`, replaced in a private copy of the checkout. What is done stays in the work
folder and is not done again: a trace of each suite and its results. The slow suite runs only against what the fast one
does not catch. Prints the counts and what was not caught.
"""

import argparse
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from bench.faults.copies import Copy
from bench.faults.fault import Fault, read_list, write_list
from bench.faults.running import Result, measure, note, read_results, summary
from bench.faults.tracing import Trace, trace

N_FAULTS, SEED = 100, 20261128
ROOT = Path(__file__).parents[2]


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="choose the faults anew and do nothing else")
    parser.add_argument("--trace", action="store_true", help="trace the suites and do nothing else")
    parser.add_argument("--suite", choices=("fast", "slow", "both"), default="both", help="the tests that are run")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="what is tested (default: this checkout)")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench" / "faults", help="where traces and results stay")
    parser.add_argument("--tests", nargs="*", default=["tests"], help="files or folders of tests (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="copies in which tests run side by side")
    parser.add_argument("--limit", type=int, default=N_FAULTS, help="how many faults of the list")
    parser.add_argument("--limit-s", type=float, default=240, help="traced seconds of tests of a suite for each fault")
    parser.add_argument("--under", type=shlex.split, default=[], help="words before each run of tests, such as 'nice'")
    return parser.parse_args()


def traced(given: argparse.Namespace, faults: list[Fault], suite: str) -> Trace:
    """Trace a suite where that is not done yet."""
    if not (given.work / f"reports-{suite}.jsonl").exists():
        with TemporaryDirectory(prefix="traced-") as folder:
            copy = Copy.make(given.checkout, Path(folder), given.under)
            tests = [*given.tests, "-n", str(given.jobs)] if given.jobs > 1 else given.tests
            trace(copy, faults, suite, given.work, tests)
    known = Trace.read(given.work, suite)
    print(f"{suite}: {len(known.seconds)} tests pass, {len(known.failed)} fail, {known.cpu_s:,.0f} CPU-seconds traced")
    return known


def run(given: argparse.Namespace, faults: list[Fault], trace_of_suite: Trace, path: Path) -> None:
    """Run a suite against faults, side by side where there are several jobs."""
    with TemporaryDirectory(prefix="faulted-") as folder, ThreadPoolExecutor(given.jobs) as threads:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(given.jobs):
            free.put(Copy.make(given.checkout, Path(folder) / str(number), given.under))

        def one(fault: Fault) -> Result:
            copy = free.get()
            try:
                return measure(fault, copy, trace_of_suite, given.limit_s)
            finally:
                free.put(copy)

        for result in threads.map(one, faults):
            note(result, path)
            print(
                f"{result.number:>3} {result.outcome} {result.test} {result.error} {result.cpu_s:.0f} CPU-s", flush=True
            )


def main() -> None:
    """Do what the command line asks for."""
    given = parsed()
    if given.list:
        from bench.faults.mutations import chosen  # noqa: PLC0415 - the one place that needs the package itself

        write_list(chosen(given.checkout, N_FAULTS, SEED))
        return
    given.checkout, given.work = given.checkout.absolute(), given.work.absolute()
    given.work.mkdir(parents=True, exist_ok=True)
    faults = read_list()
    caught: set[int] = set()
    results: dict[str, dict[int, Result]] = {}
    for suite in ("fast", "slow") if given.suite == "both" else (given.suite,):
        of_suite, path = traced(given, faults, suite), given.work / f"results-{suite}.jsonl"
        done = caught | read_results(path).keys()
        if not given.trace:
            run(given, [fault for fault in faults[: given.limit] if fault.number not in done], of_suite, path)
        results[suite] = read_results(path)
        caught |= {number for number, result in results[suite].items() if result.outcome == "caught"}
    print("\n".join(summary(faults, results)))


if __name__ == "__main__":
    main()
