"""
How many of a hundred seeded faults the tests catch, to hold a change of the tests to those before it.

    python -m bench.faults --checkout DIR --work DIR      trace the fast suite, then run every fault not yet run
    python -m bench.faults --choose                        choose the faults anew: bench/faults/faults.csv

A fault is one line of `recsys/` or `sql/`, replaced in a private copy of the checkout. What is done stays in the work
folder and is not done again: the trace of the fast suite, which tells the tests that can notice a fault, and results.
The slow suite runs against what the fast one does not catch. Prints the counts and what was not caught.
"""

import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

import click

from bench.faults.copies import Copy
from bench.faults.fault import Fault, read_list, write_list
from bench.faults.running import DONE, Result, alone, note, read_results, summary, together
from bench.faults.tracing import Trace, listed, trace
from bench.options import benchmark, size

N_FAULTS, SEED = 100, 20261128
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Wanted:
    """
    What to run.

    Attributes:
        checkout: What is tested.
        work: Where traces and results stay.
        tests: Files or folders of tests.
        jobs: Copies in which tests run side by side.
        near_s: Traced seconds of near tests that a fault meets alone.
        under: Words before each run of tests.
    """

    checkout: Path
    work: Path
    tests: list[str]
    jobs: int
    near_s: float
    under: list[str]


def tests_of(given: Wanted, faults: list[Fault], suite: str) -> Trace:
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


def run(given: Wanted, faults: list[Fault], suite: str, path: Path) -> None:
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


@benchmark(headline=r"(\d+) faults, [\d,]+ CPU-seconds")
@click.option("--choose", is_flag=True, help="Choose the faults anew and do nothing else.")
@click.option("--suite", type=click.Choice(["fast", "slow", "both"]), default="both", help="The tests that are run.")
@click.option("--checkout", type=click.Path(path_type=Path), default=ROOT, help="What is tested. [default: this one]")
@click.option("--work", type=click.Path(path_type=Path), help="Where traces and results stay. [default: .bench/faults]")
@size(
    "--tests",
    multiple=True,
    default=["tests"],
    smallest=["tests/dataset/test_vocab.py"],
    help="Files or folders of tests.",
)
@size("--limit", default=N_FAULTS, smallest=2, help="How many faults of the list.")
@click.option("--jobs", default=1, show_default=True, help="Copies in which tests run side by side.")
@click.option("--near-s", default=45.0, show_default=True, help="Seconds of near tests that a fault meets alone.")
@click.option("--under", default="", help="Words before each run of tests, such as 'nice'.")
def main(
    choose: bool,
    suite: str,
    checkout: Path,
    work: Path | None,
    tests: tuple[str, ...],
    limit: int,
    jobs: int,
    near_s: float,
    under: str,
) -> None:
    """Do what the command line asks for."""
    if choose:
        from bench.faults.mutations import chosen  # the one place that needs the package itself

        write_list(chosen(checkout, N_FAULTS, SEED))
        return
    with TemporaryDirectory() as made:
        is_whole = tests == ("tests",)
        kept = work or (ROOT / ".bench" / "faults" if is_whole else Path(made))
        given = Wanted(checkout.absolute(), kept.absolute(), list(tests), jobs, near_s, shlex.split(under))
        given.work.mkdir(parents=True, exist_ok=True)
        measured(given, read_list()[:limit], ("fast", "slow") if suite == "both" else (suite,))


def measured(given: Wanted, faults: list[Fault], suites: tuple[str, ...]) -> None:
    """Run one suite after the other against what the one before did not catch, and print the counts."""
    results: dict[str, dict[int, Result]] = {}
    for suite in suites:
        path = given.work / f"results-{suite}.jsonl"
        done = {number for known in results.values() for number, one in known.items() if one.outcome in DONE}
        run(given, [fault for fault in faults if fault.number not in done], suite, path)
        results[suite] = read_results(path)
    print("\n".join(summary(faults, results)))


if __name__ == "__main__":
    main()
