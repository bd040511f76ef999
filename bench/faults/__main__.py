"""
Mutation testing: how many of a hundred seeded faults the tests catch, to compare the tests before and after a change.

    python -m bench.faults --checkout DIR --work DIR      trace the fast suite, then run every fault without a result
    python -m bench.faults --choose                        choose new faults and write bench/faults/faults.csv

A fault replaces one line of `recsys/` or `sql/` in a private copy of the checkout. The work folder keeps the trace of
the fast suite, which gives the tests that can catch each fault, and the results, so that a later run continues. The
slow suite runs only the faults that the fast one does not catch. Prints the counts and the faults that were not caught.
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
from bench.faults.running import DONE, Result, alone, append, read_results, summary, together
from bench.faults.tracing import Trace, list_tests, trace
from bench.options import benchmark, size

N_FAULTS, SEED = 100, 20261128
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Settings:
    """
    Settings of a run.

    Attributes:
        checkout: The checkout under test.
        work: Folder that keeps traces and results.
        tests: Test files or folders.
        jobs: Copies in which tests run in parallel.
        near_s: Traced seconds of near tests that are run for each fault alone.
        under: Command that each test run is started with, such as `nice`.
    """

    checkout: Path
    work: Path
    tests: list[str]
    jobs: int
    near_s: float
    under: list[str]


def tests_of(settings: Settings, faults: list[Fault], suite: str) -> Trace:
    """Trace the fast suite unless a trace exists; only list the tests of the slow one, which runs few faults."""
    if suite == "slow":
        with TemporaryDirectory(prefix="listed-") as folder:
            return list_tests(Copy.make(settings.checkout, Path(folder)), faults, suite, settings.tests)
    if not (settings.work / f"reports-{suite}.jsonl").exists():
        with TemporaryDirectory(prefix="traced-") as folder:
            copy = Copy.make(settings.checkout, Path(folder), settings.under)
            tests = [*settings.tests, "-n", str(settings.jobs)] if settings.jobs > 1 else settings.tests
            trace(copy, faults, suite, settings.work, tests)
    known = Trace.read(settings.work, suite)
    print(f"{suite}: {len(known.seconds)} tests pass, {len(known.failed)} fail, {known.cpu_s:,.0f} CPU-seconds traced")
    return known


def run(settings: Settings, faults: list[Fault], suite: str, path: Path) -> None:
    """Run a suite on faults: each alone, in parallel if there are several jobs, then the remaining ones together."""
    known = tests_of(settings, faults, suite)
    results = read_results(path)
    with TemporaryDirectory(prefix="faulted-") as folder, ThreadPoolExecutor(settings.jobs) as threads:
        free: SimpleQueue[Copy] = SimpleQueue()
        for number in range(settings.jobs):
            free.put(Copy.make(settings.checkout, Path(folder) / str(number), settings.under))

        def run_alone(fault: Fault) -> Result:
            copy = free.get()
            try:
                return alone(fault, copy, known, settings.near_s)
            finally:
                free.put(copy)

        if known.is_timed:
            for result in threads.map(run_alone, [fault for fault in faults if fault.number not in results]):
                append(result, path)
        results = read_results(path)
        left = [fault for fault in faults if fault.number not in results or results[fault.number].outcome == "not near"]
        for result in together(left, free.get(), known, settings.jobs):
            append(result, path)


@benchmark(headline=r"(\d+) faults, [\d,]+ CPU-seconds")
@click.option("--choose", is_flag=True, help="Choose new faults and do nothing else.")
@click.option("--suite", type=click.Choice(["fast", "slow", "both"]), default="both", help="The suite to run.")
@click.option(
    "--checkout", type=click.Path(path_type=Path), default=ROOT, help="Checkout under test. [default: this one]"
)
@click.option("--work", type=click.Path(path_type=Path), help="Keeps traces and results. [default: .bench/faults]")
@size(
    "--tests",
    multiple=True,
    default=["tests"],
    smallest=["tests/dataset/test_vocab.py"],
    help="Test files or folders.",
)
@size("--limit", default=N_FAULTS, smallest=2, help="Number of faults, from the first of the list.")
@click.option("--jobs", default=1, show_default=True, help="Copies in which tests run in parallel.")
@click.option("--near-s", default=45.0, show_default=True, help="Seconds of near tests run for each fault alone.")
@click.option("--under", default="", help="Command to start test runs with, such as 'nice'.")
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
    """Choose new faults, or run the suites on the listed faults and print the summary."""
    if choose:
        from bench.faults.mutations import choose_faults  # the only part that imports the package under test

        write_list(choose_faults(checkout, N_FAULTS, SEED))
        return
    with TemporaryDirectory() as temporary:
        is_whole = tests == ("tests",)
        kept = work or (ROOT / ".bench" / "faults" if is_whole else Path(temporary))
        settings = Settings(checkout.absolute(), kept.absolute(), list(tests), jobs, near_s, shlex.split(under))
        settings.work.mkdir(parents=True, exist_ok=True)
        run_suites(settings, read_list()[:limit], ("fast", "slow") if suite == "both" else (suite,))


def run_suites(settings: Settings, faults: list[Fault], suites: tuple[str, ...]) -> None:
    """Run each suite on the faults that the suites before did not catch, and print the summary."""
    results: dict[str, dict[int, Result]] = {}
    for suite in suites:
        path = settings.work / f"results-{suite}.jsonl"
        done = {number for known in results.values() for number, result in known.items() if result.outcome in DONE}
        run(settings, [fault for fault in faults if fault.number not in done], suite, path)
        results[suite] = read_results(path)
    print("\n".join(summary(faults, results)))


if __name__ == "__main__":
    main()
