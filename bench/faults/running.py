"""
Which faults the tests catch.

First each fault by itself in a copy, against the near tests that can notice it: those of the mirrored file, of files
that name the module or table, and of the mirrored folder, as many as traced seconds allow. Then all that are left at
once, against every test that can notice one of them: a test that passes notices none; one that fails is run again with
half of them, and half of those. So what no test notices costs one run of the suite together, not one each. The price:
one fault may hide another. A run that takes many times as long as traced counts as failed.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path

from bench.faults.copies import TIME_IS_UP, Copy
from bench.faults.fault import Fault, FaultIsGoneError
from bench.faults.tracing import Trace

START_S, PATIENCE = 120, 8  # a run may take so long to start, and so many times its traced seconds
DONE = {"caught", "no longer applies"}  # outcomes after which no other suite is run
NO_TESTS, WRONG_USE = 5, 4  # exit statuses of pytest


@dataclass(frozen=True)
class Result:
    """
    What became of a fault in a suite.

    Attributes:
        number: The fault.
        outcome: `caught`, `survived`, `not reached`, `no longer applies`; `not near` where only near tests were run.
        test: The test that caught it.
        error: How that test failed.
        cpu_s: Seconds of CPU that it took.
    """

    number: int
    outcome: str
    test: str = ""
    error: str = ""
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Ended:
    """How a run of tests ended: the first test that failed and how ('' where none did), those that passed, its cost."""

    test: str
    error: str
    passed: frozenset[str]
    cpu_s: float


def alone(fault: Fault, copy: Copy, trace: Trace, limit_s: float) -> Result:
    """Run the near tests that can notice a fault until one does."""
    reached = trace.reached.get(fault.number, set())
    try:
        copy.lay([fault])
    except FaultIsGoneError as gone:
        return Result(fault.number, "no longer applies", error=str(gone))
    tests = _near(fault, [test for test in trace.seconds if test in reached], trace, copy.checkout, limit_s)
    ended = _run(copy, tests, trace) if tests else Ended("", "", frozenset(), 0.0)
    outcome = "caught" if ended.error else "not near" if reached else "not reached"
    return Result(fault.number, outcome, ended.test if ended.error else "", ended.error, ended.cpu_s)


def together(faults: Sequence[Fault], copy: Copy, trace: Trace, jobs: int) -> Iterator[Result]:
    """Run every test that can notice one of the faults with all of them in, and find out which one a failure is of."""
    costs: dict[str, float] = defaultdict(float)
    for test, seconds in trace.seconds.items():
        costs[test.partition("::")[0]] += seconds
    waiting = sorted(trace.seconds, key=lambda test: costs[test.partition("::")[0]])  # cheap files first
    alive, spent_s = list(faults), 0.0
    while alive:
        waiting = [test for test in waiting if any(test in trace.reached.get(fault.number, ()) for fault in alive)]
        if not waiting:
            break
        copy.lay(alive)
        ended = _run(copy, waiting, trace, ("-n", str(jobs)) if jobs > 1 else ())
        spent_s += ended.cpu_s
        if not ended.error:
            break
        waiting = [test for test in waiting if test not in ended.passed and test != ended.test]
        suspects = [fault for fault in alive if ended.test in trace.reached.get(fault.number, ())]
        found = _culprits(ended.test, suspects, copy, trace)
        print(f"    {ended.test} {ended.error}: of {len(suspects)}, {[fault.number for fault, _ in found]}", flush=True)
        for fault, one in found:
            alive.remove(fault)
            yield Result(fault.number, "caught", one.test, one.error, one.cpu_s)
    for fault in alive:
        yield Result(fault.number, "survived", cpu_s=spent_s / len(alive))


def _culprits(test: str, suspects: Sequence[Fault], copy: Copy, trace: Trace) -> list[tuple[Fault, Ended]]:
    """Return the faults by which a test fails; none where it fails by several together, or by chance."""
    copy.lay(suspects)
    ended = _run(copy, [test], trace)
    if not ended.error or not suspects:
        return []
    if len(suspects) == 1:
        return [(suspects[0], ended)]
    half = len(suspects) // 2
    return [pair for some in (suspects[:half], suspects[half:]) for pair in _culprits(test, some, copy, trace)]


def _near(fault: Fault, tests: Sequence[str], trace: Trace, checkout: Path, limit_s: float) -> list[str]:
    """Choose the near ones of tests, file by file, the nearest and cheapest first, up to a limit of traced seconds."""
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
    """Return 0 for the mirrored file, 1 for one that names the module, table or query, 2 for their folder, else 3."""
    *folders, subject = Path(fault.file).with_suffix("").parts
    of_python = rf"\b{re.escape('.'.join(folders))}(\.| import [^\n]*\b){subject}\b"
    of_sql = rf"\b{folders[-1]}\.{subject}\b|[\"']{subject}[\"']"
    if tests.stem == f"test_{subject}":
        return 0
    if re.search(of_python if fault.function else of_sql, tests.read_text(encoding="utf-8")):
        return 1
    return 2 if tests.parent.name == (folders[-1] if fault.function else "warehouse") else 3


def _run(copy: Copy, tests: Sequence[str], trace: Trace, options: Sequence[str] = ()) -> Ended:
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
        return Ended(test, failed[test], passed, cost)
    if status in {WRONG_USE, NO_TESTS}:
        raise SystemExit(f"pytest found no test {tests[0]} in {copy.folder}: trace anew, for the checkout has changed")
    at_work = next((row["test"] for row in reversed(rows) if "test" in row), tests[0])
    error = "time limit" if status in TIME_IS_UP else f"exit status {status}" if status else ""
    return Ended(at_work, error, passed - {at_work} if error else passed, cost)


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
        of_python = [bool(fault.function) for fault, name in ended.items() if name == outcome]
        yield f"| {outcome} | {len(of_python)} | {sum(of_python)} | {len(of_python) - sum(of_python)} |"
    yield ""
    cost = sum(result.cpu_s for of_suite in results.values() for result in of_suite.values())
    yield f"{len(ended)} faults, {cost:,.0f} CPU-seconds."
    yield ""
    yield "| fault | where | line | replaced by | outcome |"
    yield "|---|---|---|---|---|"
    for fault, name in ended.items():
        if not name.startswith("caught"):
            line, replacement = (text.replace("|", "\\|") for text in (fault.line, fault.replacement))
            where = f"`{fault.file}` {fault.function}".strip()
            yield f"| {fault.number} | {where} | `{line}` | `{replacement}` | {name} |"


def _ended(number: int, results: Mapping[str, Mapping[int, Result]]) -> str:
    """Say what became of a fault in all suites."""
    known = {suite: of_suite[number].outcome for suite, of_suite in results.items() if number in of_suite}
    caught = [f"caught by {suite}" for suite, outcome in known.items() if outcome == "caught"]
    return next(iter(caught), "survived" if "survived" in known.values() else min(known.values()))
