"""
Find the tests that reach each fault: one run of the suite with a probe before the statement of each fault.

A probe records the fault and the running test, also in processes that tests start. A probe cannot be put into SQL: a
fault in SQL counts as reached where the query of its file is read, to be parsed, built or run.
"""

import ast
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.faults.copies import Copy
from bench.faults.fault import Fault, FaultIsGoneError, functions

PROBE = '''
"""Records which faults a test reaches."""

import os

SEEN = set()
SQL = {sql!r}


def hit(fault):
    test = os.environ.get("FAULTS_MARK") or os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    if (fault, test) not in SEEN:
        SEEN.add((fault, test))
        with open({hits!r}, "a") as out:
            out.write(f"{{fault}}\\t{{test}}\\n")


def watch(sql_file):
    plain = sql_file.__getattribute__

    def probed(self, name):
        if name == "query":
            for fault in SQL.get(plain(self, "name"), ()):
                hit(fault)
        return plain(self, name)

    sql_file.__getattribute__ = probed
'''
MARKS = {"fast": "not slow", "slow": "slow"}
WATCHED = "\n\n__import__('recsys.faultprobe', fromlist=['watch']).watch(SqlFile)\n"


@dataclass(frozen=True)
class Trace:
    """
    The trace of one suite.

    Attributes:
        seconds: Seconds of each test that passed, by its id, in the order of the run.
        reached: Ids of the tests that reach each fault.
        failed: Tests that fail without any fault and so cannot catch one.
        cpu_s: CPU time of the run.
        is_timed: Whether the tests were run, not only listed.
    """

    seconds: dict[str, float]
    reached: dict[int, set[str]]
    failed: list[str]
    cpu_s: float
    is_timed: bool = True

    @classmethod
    def read(cls, folder: Path, suite: str) -> "Trace":
        """Read the reports and hits that `trace` wrote to a folder."""
        seconds: dict[str, float] = defaultdict(float)
        outcomes: dict[str, set[str]] = defaultdict(set)
        through: dict[str, set[str]] = defaultdict(set)
        cpu_s = 0.0
        for line in (folder / f"reports-{suite}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            cpu_s += row.get("cpu_s", 0.0)
            for mark in row.get("marks", ()):
                through[mark].add(row["test"])
            if "outcome" in row:
                seconds[row["test"]] += row["seconds"]
                outcomes[row["test"]].add(row["outcome"])
        passed = {test: seconds[test] for test, ended in outcomes.items() if ended == {"passed"}}
        reached: dict[int, set[str]] = defaultdict(set)
        hits = folder / f"hits-{suite}.tsv"
        for line in hits.read_text(encoding="utf-8").splitlines() if hits.exists() else ():
            fault, _, test = line.partition("\t")
            reached[int(fault)] |= passed.keys() & through.get(test, {test})
        for number, tests in reached.items():
            if not tests:  # reached only during collection or in failing tests
                reached[number] = set(passed)
        failed = sorted(test for test, ended in outcomes.items() if "failed" in ended)
        return cls(passed, reached, failed, cpu_s)


def list_tests(copy: Copy, faults: Sequence[Fault], suite: str, tests: Sequence[str]) -> Trace:
    """List the tests of a suite without running them; every test is assumed to reach every fault."""
    reports = copy.folder / "listed.jsonl"
    copy.pytest([*tests, "-m", MARKS[suite], "--collect-only"], reports, limit_s=None)
    names = [json.loads(line)["test"] for line in reports.read_text(encoding="utf-8").splitlines() if "test" in line]
    return Trace(dict.fromkeys(names, 0.0), {fault.number: set(names) for fault in faults}, [], 0.0, is_timed=False)


def trace(copy: Copy, faults: Sequence[Fault], suite: str, folder: Path, tests: Sequence[str]) -> None:
    """Run a suite with probes; write `hits-<suite>.tsv` during the run and `reports-<suite>.jsonl` at its end."""
    hits, reports = folder / f"hits-{suite}.tsv", folder / f"reports-{suite}.jsonl"
    hits.unlink(missing_ok=True)
    _put_probes(copy, faults, hits)
    unfinished = reports.with_suffix(".part")
    unfinished.unlink(missing_ok=True)
    copy.pytest([*tests, "-m", MARKS[suite]], unfinished, limit_s=None)
    unfinished.rename(reports)


def _put_probes(copy: Copy, faults: Sequence[Fault], hits: Path) -> None:
    by_file: dict[str, dict[int, int]] = defaultdict(dict)
    of_sql: dict[str, list[int]] = defaultdict(list)
    for fault in faults:
        try:
            line_no = fault.line_no(copy.checkout)
        except FaultIsGoneError:
            continue
        if fault.function:
            by_file[fault.file][fault.number] = line_no
        else:
            path = Path(fault.file)
            layer = path.parent.name
            of_sql[path.stem if layer == "queries" else f"{layer}.{path.stem}"].append(fault.number)
    for file, numbers in by_file.items():
        copy.write(file, probed((copy.checkout / file).read_text(encoding="utf-8"), numbers))
    for path in (copy.folder / "recsys").rglob("*.py"):
        if "\nclass SqlFile:" in (text := path.read_text(encoding="utf-8")):
            copy.write(path.relative_to(copy.folder).as_posix(), text + WATCHED)
    copy.write("recsys/faultprobe.py", PROBE.format(sql=dict(of_sql), hits=str(hits.absolute())).lstrip())


def probed(text: str, numbers: dict[int, int]) -> str:
    """Put a probe before the innermost statement around each fault's line."""
    tree = ast.parse(text)
    bodies = [
        body
        for _, function in functions(tree)
        for node in ast.walk(function)
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
        if isinstance(body, list)
    ]
    for number, line_no in numbers.items():
        enclosing = [(_span(node), body, node) for body in bodies for node in body if line_no in _span(node)]
        if not enclosing:  # a default value of a parameter: reached where the function is
            enclosing = [
                (_span(node), node.body, node.body[0]) for _, node in functions(tree) if line_no in _span(node)
            ]
        _, body, statement = min(enclosing, key=lambda candidate: len(candidate[0]))
        body.insert(body.index(statement), _hit(number))
    return ast.unparse(ast.fix_missing_locations(tree))


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _hit(number: int) -> ast.stmt:
    probe = ast.parse(f"__import__('recsys.faultprobe', fromlist=['hit']).hit({number})").body[0]
    probe.end_lineno = probe.lineno = 0  # no line of the file
    return probe
