"""
How many of a hundred seeded faults the tests catch, to hold a change of the tests to those before it.

    python -m bench.faults --checkout DIR --work DIR      trace the fast suite, then run every fault not yet run
    python -m bench.faults --limit 2 --tests tests/test_vocab.py      the smallest size: two faults, one file of tests
    python -m bench.faults --list                          choose the faults anew: bench/faults/faults.csv

A fault is one line of `recsys/` or `sql/`, replaced in a private copy of the checkout. What is done stays in the work
folder and is not done again: the trace of the fast suite, which tells the tests that can notice a fault, and results.
The slow suite runs against what the fast one does not catch. Prints the counts and what was not caught.
"""

import argparse
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from bench.faults.copies import Copy
from bench.faults.fault import Fault, read_list, write_list
from bench.faults.running import DONE, Result, alone, note, read_results, summary, together
from bench.faults.tracing import Trace, listed, trace

N_FAULTS, SEED = 100, 20261128
ROOT = Path(__file__).parents[2]


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="choose the faults anew and do nothing else")
    parser.add_argument("--suite", choices=("fast", "slow", "both"), default="both", help="the tests that are run")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="what is tested (default: this checkout)")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench" / "faults", help="where traces and results stay")
    parser.add_argument("--tests", nargs="*", default=["tests"], help="files or folders of tests (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="copies in which tests run side by side")
    parser.add_argument("--limit", type=int, default=N_FAULTS, help="how many faults of the list")
    parser.add_argument(
        "--near-s", type=float, default=45, help="traced seconds of near tests that a fault meets alone"
    )
    parser.add_argument("--under", type=shlex.split, default=[], help="words before each run of tests, such as 'nice'")
    return parser.parse_args()


def tests_of(given: argparse.Namespace, faults: list[Fault], suite: str) -> Trace:
    """Trace the fast suite where that is not done yet; the slow one, which meets few faults, is only listed."""
    if suite == "slow":
        with TemporaryDirectory(prefix="listed-") as folder:
            return listed(Copy.make(given.checkout, Path(folder)), faults, suite, given.tests)
    if not (given.work / f"reports-{suite}.jsonl").exists():
        with TemporaryDirectory(prefix="traced-") as folder:
            copy = Copy.make(given.checkout, Path(folder), given.under)
            tests = [*given.tests, "-n", str(given.jobs)] if given.jobs > 1 else given.tests
            trace(copy, faults, suite, given.work, tests)
    known = Trace.read(given.work, suite)
    print(f"{suite}: {len(known.seconds)} tests pass, {len(known.failed)} fail, {known.cpu_s:,.0f} CPU-seconds traced")
    return known


def run(given: argparse.Namespace, faults: list[Fault], suite: str, path: Path) -> None:
    """Run a suite against faults: alone, side by side where there are several jobs, then what is left together."""
    known = tests_of(given, faults, suite)
    results = read_results(path)
    with TemporaryDirectory(prefix="faulted-") as folder, ThreadPoolExecutor(given.jobs) as threads:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(given.jobs):
            free.put(Copy.make(given.checkout, Path(folder) / str(number), given.under))

        def one(fault: Fault) -> Result:
            copy = free.get()
            try:
                return alone(fault, copy, known, given.near_s)
            finally:
                free.put(copy)

        if known.is_timed:
            for result in threads.map(one, [fault for fault in faults if fault.number not in results]):
                note(result, path)
        results = read_results(path)
        left = [fault for fault in faults if fault.number not in results or results[fault.number].outcome == "not near"]
        for result in together(left, free.get(), known, given.jobs):
            note(result, path)


def main() -> None:
    """Do what the command line asks for."""
    given = parsed()
    if given.list:
        from bench.faults.mutations import chosen  # noqa: PLC0415 - the one place that needs the package itself

        write_list(chosen(given.checkout, N_FAULTS, SEED))
        return
    given.checkout, given.work = given.checkout.absolute(), given.work.absolute()
    given.work.mkdir(parents=True, exist_ok=True)
    faults = read_list()[: given.limit]
    results: dict[str, dict[int, Result]] = {}
    for suite in ("fast", "slow") if given.suite == "both" else (given.suite,):
        path = given.work / f"results-{suite}.jsonl"
        done = {number for known in results.values() for number, one in known.items() if one.outcome in DONE}
        run(given, [fault for fault in faults if fault.number not in done], suite, path)
        results[suite] = read_results(path)
    print("\n".join(summary(faults, results)))


if __name__ == "__main__":
    main()
