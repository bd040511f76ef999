"""
Run tests on faults and find out which faults they catch.

First, each fault alone, with the near tests that reach it: tests of the mirrored file, of files that name the module or
table, and of the mirrored folder, up to a limit of traced seconds. Then all remaining faults together, with every test
that reaches one of them: a test that passes catches none; for one that fails, the fault is found by bisection. All
faults that no test catches thus cost one run of the suite together. The drawback is that one fault may hide another.
A run that takes many times its traced time counts as failed.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

from bench.faults.copies import TIMED_OUT, Copy
from bench.faults.fault import Fault, FaultIsGoneError
from bench.faults.tracing import Trace

START_S, PATIENCE = 120, 8  # the time limit of a run: START_S plus PATIENCE times its traced seconds
DONE = {"caught", "no longer applies"}  # outcomes after which a fault is not run with another suite
NO_TESTS, WRONG_USE = 5, 4  # exit statuses of pytest


@dataclass(frozen=True)
class Result:
    """
    The outcome of a fault in a suite.

    Attributes:
        number: Number of the fault.
        outcome: `caught`, `survived`, `not reached`, `no longer applies`; `not near` if only near tests have run.
        test: The test that caught it, or ''.
        error: How that test failed, or ''.
        cpu_s: CPU seconds spent.
    """

    number: int
    outcome: str
    test: str = ""
    error: str = ""
    cpu_s: float = 0.0


@dataclass(frozen=True)
class SuiteRun:
    """A run of tests: the first test that failed and its error ('' if none did), the tests that passed, CPU time."""

    test: str
    error: str
    passed: frozenset[str]
    cpu_s: float


def alone(fault: Fault, copy: Copy, trace: Trace, limit_s: float) -> Result:
    """Run the near tests that reach a fault until one catches it."""
    reached = trace.reached.get(fault.number, set())
    try:
        copy.apply([fault])
    except FaultIsGoneError as gone:
        return Result(fault.number, "no longer applies", error=str(gone))
    tests = _near(fault, [test for test in trace.seconds if test in reached], trace, copy.checkout, limit_s)
    run = _run(copy, tests, trace) if tests else SuiteRun("", "", frozenset(), 0.0)
    outcome = "caught" if run.error else "not near" if reached else "not reached"
    return Result(fault.number, outcome, run.test if run.error else "", run.error, run.cpu_s)


def together(faults: Sequence[Fault], copy: Copy, trace: Trace, jobs: int) -> Iterator[Result]:
    """Run every test that reaches one of the faults with all of them applied, and find the fault behind a failure."""
    costs: dict[str, float] = defaultdict(float)
    for test, seconds in trace.seconds.items():
        costs[test.partition("::")[0]] += seconds
    waiting = sorted(trace.seconds, key=lambda test: costs[test.partition("::")[0]])  # cheap files first
    alive, spent_s = list(faults), 0.0
    while alive:
        waiting = [test for test in waiting if any(test in trace.reached.get(fault.number, ()) for fault in alive)]
        if not waiting:
            break
        copy.apply(alive)
        run = _run(copy, waiting, trace, ("-n", str(jobs)) if jobs > 1 else ())
        spent_s += run.cpu_s
        if not run.error:
            break
        waiting = [test for test in waiting if test not in run.passed and test != run.test]
        suspects = [fault for fault in alive if run.test in trace.reached.get(fault.number, ())]
        found = _culprits(run.test, suspects, copy, trace)
        print(f"    {run.test} {run.error}: of {len(suspects)}, {[fault.number for fault, _ in found]}", flush=True)
        for fault, failure in found:
            alive.remove(fault)
            yield Result(fault.number, "caught", failure.test, failure.error, failure.cpu_s)
    for fault in alive:
        yield Result(fault.number, "survived", cpu_s=spent_s / len(alive))


def _culprits(test: str, suspects: Sequence[Fault], copy: Copy, trace: Trace) -> list[tuple[Fault, SuiteRun]]:
    """Find by bisection the faults that make a test fail; none if it fails only by several together, or by chance."""
    copy.apply(suspects)
    run = _run(copy, [test], trace)
    if not run.error or not suspects:
        return []
    if len(suspects) == 1:
        return [(suspects[0], run)]
    half = len(suspects) // 2
    return [pair for part in (suspects[:half], suspects[half:]) for pair in _culprits(test, part, copy, trace)]


def _near(fault: Fault, tests: Sequence[str], trace: Trace, checkout: Path, limit_s: float) -> list[str]:
    """Choose the near tests, file by file, nearest and cheapest files first, up to a limit of traced seconds."""
    files: dict[str, list[str]] = {}
    for test in tests:
        files.setdefault(test.partition("::")[0], []).append(test)
    ranks = {file: _rank(fault, checkout / file) for file in files}
    costs = {file: sum(trace.seconds[test] for test in some) for file, some in files.items()}
    near = sorted((file for file in files if ranks[file] < 3), key=lambda file: (ranks[file], costs[file], file))
    ordered = [test for file in near for test in files[file]]
    spent = accumulate(trace.seconds[test] for test in ordered)
    return [test for test, until in zip(ordered, spent, strict=True) if until <= limit_s]


def _rank(fault: Fault, tests: Path) -> int:
    """Rank a test file: 0 mirrors the fault's file, 1 names its module, table or query, 2 is in its folder, 3 else."""
    *folders, subject = Path(fault.file).with_suffix("").parts
    of_python = rf"\b{re.escape('.'.join(folders))}(\.| import [^\n]*\b){subject}\b"
    of_sql = rf"\b{folders[-1]}\.{subject}\b|[\"']{subject}[\"']"
    if tests.stem == f"test_{subject}":
        return 0
    if re.search(of_python if fault.function else of_sql, tests.read_text(encoding="utf-8")):
        return 1
    return 2 if tests.parent.name == (folders[-1] if fault.function else "warehouse") else 3


def _run(copy: Copy, tests: Sequence[str], trace: Trace, options: Sequence[str] = ()) -> SuiteRun:
    """Run tests until one fails."""
    reports = copy.folder / "reports.jsonl"
    reports.unlink(missing_ok=True)
    limit_s = START_S + PATIENCE * sum(trace.seconds[test] for test in tests) if trace.is_timed else None
    status = copy.pytest(["-m", "", "-x", *options], reports, limit_s, tests)
    rows = [json.loads(line) for line in reports.read_text(encoding="utf-8").splitlines()] if reports.exists() else []
    cost = sum(row.get("cpu_s", 0.0) for row in rows)
    failed = {row["test"]: row["error"] or "failed" for row in reversed(rows) if row.get("outcome") == "failed"}
    passed = frozenset(row["test"] for row in rows if row.get("outcome") in {"passed", "skipped"}) - failed.keys()
    if failed:
        test = [*failed][-1]
        return SuiteRun(test, failed[test], passed, cost)
    if status in {WRONG_USE, NO_TESTS}:
        raise SystemExit(
            f"pytest found no test {tests[0]} in {copy.folder}: the checkout has changed. Delete the trace"
        )
    at_work = next((row["test"] for row in reversed(rows) if "test" in row), tests[0])
    error = "time limit" if status in TIMED_OUT else f"exit status {status}" if status else ""
    return SuiteRun(at_work, error, passed - {at_work} if error else passed, cost)


def read_results(path: Path) -> dict[int, Result]:
    """Read the results of a suite by the number of the fault; a later line replaces an earlier one."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {result.number: result for result in (Result(**json.loads(line)) for line in lines)}


def append(result: Result, path: Path) -> None:
    """Append the result of a fault to a file."""
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(result)) + "\n")


def summary(faults: Sequence[Fault], results: Mapping[str, Mapping[int, Result]]) -> Iterator[str]:
    """Yield Markdown lines: faults caught per suite, then the faults not caught; `results` by suite and number."""
    outcomes = {
        fault: _outcome(fault.number, results) for fault in faults if any(fault.number in of for of in results.values())
    }
    yield "| outcome | faults | in Python | in SQL |"
    yield "|---|---|---|---|"
    for outcome in (*(f"caught by {suite}" for suite in results), "survived", "not reached", "no longer applies"):
        of_python = [bool(fault.function) for fault, name in outcomes.items() if name == outcome]
        yield f"| {outcome} | {len(of_python)} | {sum(of_python)} | {len(of_python) - sum(of_python)} |"
    yield ""
    cost = sum(result.cpu_s for of_suite in results.values() for result in of_suite.values())
    yield f"{len(outcomes)} faults, {cost:,.0f} CPU-seconds."
    yield ""
    yield "| fault | where | line | replaced by | outcome |"
    yield "|---|---|---|---|---|"
    for fault, name in outcomes.items():
        if not name.startswith("caught"):
            line, replacement = (text.replace("|", "\\|") for text in (fault.line, fault.replacement))
            where = f"`{fault.file}` {fault.function}".strip()
            yield f"| {fault.number} | {where} | `{line}` | `{replacement}` | {name} |"


def _outcome(number: int, results: Mapping[str, Mapping[int, Result]]) -> str:
    """Combine the outcomes of a fault in all suites."""
    known = {suite: of_suite[number].outcome for suite, of_suite in results.items() if number in of_suite}
    caught = [f"caught by {suite}" for suite, outcome in known.items() if outcome == "caught"]
    return next(iter(caught), "survived" if "survived" in known.values() else min(known.values()))
