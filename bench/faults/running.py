"""
Which faults the tests catch: each fault by itself in a copy, against the tests that can notice it.

The nearest tests go first: those of the mirrored file, then of files that name the module or table, then the cheapest.
A run ends at the first test that fails. Tests count until their traced seconds reach a limit; how many were left out is
noted. A run that takes many times as long as traced is caught, too.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

from bench.faults.copies import TIME_IS_UP, Copy
from bench.faults.fault import Fault, FaultIsGoneError
from bench.faults.tracing import Trace

START_S, PATIENCE = 120, 8  # a run may take so long to start, and so many times its traced seconds
NO_TESTS, WRONG_USE = 5, 4  # exit statuses of pytest


@dataclass(frozen=True)
class Result:
    """
    What became of a fault in a suite.

    Attributes:
        number: The fault.
        outcome: `caught`, `survived`, `not reached` or `no longer applies`.
        test: The test that caught it.
        error: How that test failed.
        n_run: Tests that were to run against it.
        n_left_out: Tests that can notice it and were not run, for the limit of seconds.
        cpu_s: Seconds of CPU that it took.
    """

    number: int
    outcome: str
    test: str = ""
    error: str = ""
    n_run: int = 0
    n_left_out: int = 0
    cpu_s: float = 0.0


def measure(fault: Fault, copy: Copy, trace: Trace, limit_s: float) -> Result:
    """Run the tests of a suite that can notice a fault until one does."""
    try:
        copy.write(fault.file, fault.faulted(copy.checkout))
    except FaultIsGoneError as gone:
        return Result(fault.number, "no longer applies", error=str(gone))
    near, far, n_left_out = _selected(fault, trace, copy.checkout, limit_s)
    n_run, cpu_s = 0, 0.0
    try:
        for tests in filter(None, (near, far)):
            n_run += len(tests)
            caught, error, cost = _run(copy, tests, sum(trace.seconds[test] for test in tests))
            cpu_s += cost
            if error:
                return Result(fault.number, "caught", caught, error, n_run, n_left_out, cpu_s)
    finally:
        copy.restore(fault.file)
    return Result(fault.number, "survived" if n_run else "not reached", "", "", n_run, n_left_out, cpu_s)


def _selected(fault: Fault, trace: Trace, checkout: Path, limit_s: float) -> tuple[list[str], list[str], int]:
    """Choose tests that can notice a fault: near ones, others, and how many are left out for the limit."""
    files: dict[str, list[str]] = {}
    for test in trace.seconds:
        if test in trace.reached.get(fault.number, ()):
            files.setdefault(test.partition("::")[0], []).append(test)
    ranks = {file: _rank(fault, checkout / file) for file in files}
    costs = {file: sum(trace.seconds[test] for test in tests) for file, tests in files.items()}
    tests = [test for file in sorted(files, key=lambda file: (ranks[file], costs[file], file)) for test in files[file]]
    spent = accumulate((trace.seconds[test] for test in tests), initial=0.0)
    kept = [test for test, before in zip(tests, spent, strict=False) if before < limit_s]
    near = [test for test in kept if ranks[test.partition("::")[0]] < 2]
    return near, kept[len(near) :], len(tests) - len(kept)


def _rank(fault: Fault, tests: Path) -> int:
    """Return 0 for the mirrored file, 1 for one that names the module or table, else 2."""
    subject = Path(fault.file).stem
    if tests.stem == f"test_{subject}":
        return 0
    return 1 if re.search(rf"\b{subject}\b", tests.read_text(encoding="utf-8")) else 2


def _run(copy: Copy, tests: Sequence[str], seconds: float) -> tuple[str, str, float]:
    """Run tests until one fails; returns it, how it failed ('' where all pass), and seconds of CPU."""
    reports = copy.folder / "reports.jsonl"
    reports.unlink(missing_ok=True)
    status = copy.pytest([*tests, "-m", "", "-x"], reports, START_S + PATIENCE * seconds)
    rows = [json.loads(line) for line in reports.read_text(encoding="utf-8").splitlines()] if reports.exists() else []
    cost = sum(row.get("cpu_s", 0.0) for row in rows)
    failed = [row for row in rows if row.get("outcome") == "failed"]
    if failed:
        return failed[0]["test"], failed[0]["error"] or "failed", cost
    if status in {WRONG_USE, NO_TESTS}:
        raise SystemExit(f"pytest found no test {tests[0]} in {copy.folder}: trace anew, for the checkout has changed")
    at_work = next((row["test"] for row in reversed(rows) if "test" in row), "")
    if status in TIME_IS_UP:
        return at_work, "time limit", cost
    return at_work, f"exit status {status}" if status else "", cost


def read_results(path: Path) -> dict[int, Result]:
    """Read what is known of faults, by number."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {result.number: result for result in (Result(**json.loads(line)) for line in lines)}


def note(result: Result, path: Path) -> None:
    """Append what became of a fault."""
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(result)) + "\n")


def summary(faults: Sequence[Fault], results: Mapping[str, Mapping[int, Result]]) -> Iterator[str]:
    """Tell, as Markdown, how many faults each suite caught, and which none did; `results` by suite and number."""
    ended = {
        fault: _ended(fault.number, results) for fault in faults if any(fault.number in of for of in results.values())
    }
    yield "| outcome | faults | in Python | in SQL |"
    yield "|---|---|---|---|"
    for outcome in (*(f"caught by {suite}" for suite in results), "survived", "not reached", "no longer applies"):
        of_python = [bool(fault.function) for fault, (name, _) in ended.items() if name == outcome]
        yield f"| {outcome} | {len(of_python)} | {sum(of_python)} | {len(of_python) - sum(of_python)} |"
    yield ""
    cost = sum(result.cpu_s for of_suite in results.values() for result in of_suite.values())
    yield f"{len(ended)} faults, {cost:,.0f} CPU-seconds."
    yield ""
    yield "| fault | where | line | replaced by | outcome | tests run, left out |"
    yield "|---|---|---|---|---|---|"
    for fault, (name, tests) in ended.items():
        if not name.startswith("caught"):
            line, replacement = (text.replace("|", "\\|") for text in (fault.line, fault.replacement))
            where = f"`{fault.file}` {fault.function}".strip()
            yield f"| {fault.number} | {where} | `{line}` | `{replacement}` | {name} | {tests} |"


def _ended(number: int, results: Mapping[str, Mapping[int, Result]]) -> tuple[str, str]:
    """Return what became of a fault in all suites, and how many tests were run and left out."""
    known = {suite: of_suite[number] for suite, of_suite in results.items() if number in of_suite}
    tests = ", ".join(
        str(sum(counts)) for counts in zip(*((one.n_run, one.n_left_out) for one in known.values()), strict=True)
    )
    caught = [f"caught by {suite}" for suite, result in known.items() if result.outcome == "caught"]
    others = {result.outcome for result in known.values()}
    return next(iter(caught), "survived" if "survived" in others else min(others)), tests
