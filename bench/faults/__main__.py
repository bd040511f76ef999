"""
How many of a hundred seeded faults the tests catch, to hold a change of the tests to those before it.

    python -m bench.faults --checkout DIR --work DIR      trace both suites once, then run every fault not yet run
    python -m bench.faults --limit 2 --tests tests/test_vocab.py      the smallest size: two faults, one file of tests
    python -m bench.faults --list                          choose the faults anew: bench/faults/faults.csv

A fault is one line of `recsys/` or `sql/`, replaced in a private copy of the checkout. What is done stays in the work
folder and is not done again: results.jsonl, and a trace of each suite. Prints the counts and what was not caught.
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


def run(given: argparse.Namespace, faults: list[Fault], traces: dict[str, Trace]) -> None:
    """Run each fault of which no result is known."""
    path = given.work / "results.jsonl"
    known = read_results(path)
    with TemporaryDirectory(prefix="faulted-") as folder, ThreadPoolExecutor(given.jobs) as threads:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(given.jobs):
            free.put(Copy.make(given.checkout, Path(folder) / str(number), given.under))

        def one(fault: Fault) -> Result:
            copy = free.get()
            try:
                return measure(fault, copy, traces, given.limit_s)
            finally:
                free.put(copy)

        for result in threads.map(one, [fault for fault in faults if fault.number not in known]):
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
    suites = ("fast", "slow") if given.suite == "both" else (given.suite,)
    traces = {suite: traced(given, faults, suite) for suite in suites}
    if not given.trace:
        run(given, faults[: given.limit], traces)
        print("\n".join(summary(faults, read_results(given.work / "results.jsonl"))))


if __name__ == "__main__":
    main()
