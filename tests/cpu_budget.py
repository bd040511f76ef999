"""
CPU budgets of the tests: seconds per folder. CI prints what was spent, and fails if a folder exceeds twice its budget.

Budgets apply only to complete runs of the fast or the slow tests, and suppose that nothing else runs. The same work
needs up to half as many CPU seconds again where programs compete for memory and caches. So a fixed piece of work is
measured now and then between the tests, and the budgets grow by as much as its median exceeds REFERENCE_S. Fixtures
that a session shares, such as a home after a night, and the collection of the tests, in which each process imports
nearly everything, have budgets of their own: with the tests in random order, whichever test comes first would pay.
"""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Generator
from pathlib import PurePath
from statistics import median

import pytest

BUDGETS_S = {
    "not slow": {
        "tests": 22, "analytics": 3, "api": 4, "audio": 40, "backup": 8, "bench": 5, "cleaning": 10, "cli": 25,
        "cluster": 5, "collection": 30, "compose": 8,
        "dashboards": 180, "demo": 26, "erasure": 25, "evaluate": 5, "experiments": 6, "feedback": 8, "ingest": 60,
        "installation": 8, "lake": 10, "ledger": 45, "library": 8, "lyrics": 6, "notify": 5, "state": 5, "alerts": 25,
        "dataset": 4, "matching": 34, "metrics": 8, "migration": 25, "parts": 2, "pipeline": 45, "practice": 6,
        "products": 2, "published": 4,
        "recommenders": 50, "releases": 20, "reports": 15, "rerank": 6, "rights": 9, "rules": 4, "search": 12,
        "serve": 6, "shared fixtures": 20, "soundtrack": 5, "studio": 12, "synth": 2, "tags": 15,
        "text": 6, "warehouse": 150,
    },
    "slow": {
        "tests": 100, "analytics": 30, "api": 25, "cluster": 90, "compose": 10,
        "audio": 80, "bench": 560, "cleaning": 40, "cli": 120, "collection": 30,
        "dashboards": 500, "dataset": 20, "erasure": 40, "evaluate": 5, "experiments": 60, "feedback": 10, "ingest": 20,
        "installation": 40, "ledger": 50, "library": 65, "lyrics": 10, "matching": 20, "migration": 50, "parts": 10,
        "pipeline": 650, "recommenders": 30, "releases": 100, "reports": 60, "rerank": 25, "rules": 10, "search": 20,
        "serve": 30, "studio": 20, "tags": 15, "warehouse": 20,
        "shared fixtures": 200,
    },
}  # fmt: skip
TOLERANCE = 2
REFERENCE_S = 0.25  # what REFERENCE_WORK costs when nothing but the two workers of `make test` runs
REFERENCE_WORK = """
import json, polars
rows = [{"name": f"track {number}", "values": list(range(number % 17))} for number in range(400)]
for _ in range(12):
    rows = json.loads(json.dumps(rows, indent=1))
"""
IN_CI = "CI" in os.environ
_REFERENCE_EVERY_S = 30  # CPU seconds of tests between two measurements of the reference, in each process
SHARED, COLLECTION = "shared fixtures", "collection"
_NAME, _SHARED_NAME, _COLLECTED_NAME, _REFERENCE_NAME = "cpu_s", "shared_s", "collected_s", "reference_s"


class CpuBudget:
    """A pytest plugin that adds the CPU time of each phase to its report, sums by folder, and checks the budgets."""

    def __init__(self, config: pytest.Config) -> None:
        self.budgets_s = _budgets(config)
        self.spent_s: defaultdict[str, float] = defaultdict(float)
        self.references_s: list[float] = []
        self.reported_s = self.referenced_s = _used_s()
        self.shared_s = 0.0  # of the phase that is not reported yet
        self.collected_s = 0.0  # not reported yet

    def pytest_collection_finish(self) -> None:
        """Measure what the collection cost this process; its first report says so."""
        before, self.reported_s = self.reported_s, _used_s()
        self.collected_s = self.reported_s - before

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """Measure what a fixture of the session costs; those that it needs are made, and measured, before."""
        before = _used_s()
        try:
            return (yield)
        finally:
            if fixturedef.scope == "session":
                self.shared_s += _used_s() - before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add to a report the CPU time of this process since its last report, which includes the phase's fixtures."""
        report = yield
        before, self.reported_s = self.reported_s, _used_s()
        report.user_properties.append((_NAME, self.reported_s - before - self.shared_s))
        report.user_properties += [(_SHARED_NAME, self.shared_s), (_COLLECTED_NAME, self.collected_s)]
        self.shared_s = self.collected_s = 0.0
        if IN_CI and self.reported_s - self.referenced_s > _REFERENCE_EVERY_S:  # a worker does not know its budgets
            subprocess.run([sys.executable, "-c", REFERENCE_WORK], check=True)
            self.referenced_s = _used_s()
            report.user_properties.append((_REFERENCE_NAME, self.referenced_s - self.reported_s))
            self.reported_s = self.referenced_s
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a report to its folder; the controlling process receives the reports of all workers."""
        path = PurePath(report.nodeid.partition("::")[0])
        properties = dict(report.user_properties)
        self.spent_s[path.parent.name] += float(str(properties.get(_NAME, 0)))  # 0: the worker died
        self.spent_s[SHARED] += float(str(properties.get(_SHARED_NAME, 0)))
        self.spent_s[COLLECTION] += float(str(properties.get(_COLLECTED_NAME, 0)))
        if _REFERENCE_NAME in properties:
            self.references_s.append(float(str(properties[_REFERENCE_NAME])))

    def slowdown(self) -> float:
        """Return how many times more CPU time work costs here than on an idle machine, at least 1."""
        return max(1.0, median(self.references_s) / REFERENCE_S) if self.references_s else 1.0

    def over(self) -> list[str]:
        """List the folders that exceed TOLERANCE times their budget; a folder without a budget has 0."""
        allowed = TOLERANCE * self.slowdown()
        return [name for name, spent in self.spent_s.items() if spent > allowed * self.budgets_s.get(name, 0)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run whose tests passed but exceeded a budget."""
        if self.budgets_s and self.over() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one line per folder, those above their budget last, where a run that fails is read first."""
        if not self.budgets_s:
            return
        over, slowdown = self.over(), self.slowdown()
        terminalreporter.section(f"CPU seconds: {sum(self.spent_s.values()):.0f}; budgets grow {slowdown:.2f} times")
        for name, spent in sorted(self.spent_s.items(), key=lambda folder: (folder[0] in over, -folder[1])):
            mark = f" ABOVE {TOLERANCE} x {slowdown:.2f} times its budget" if name in over else ""
            terminalreporter.write_line(f"{name:16} {spent:7.1f} of {self.budgets_s.get(name, 0)}{mark}")


def _used_s() -> float:
    """Return the CPU seconds of this process and its finished child processes."""
    return sum(os.times()[:4])


def _budgets(config: pytest.Config) -> dict[str, int]:
    """Return the budgets that apply to this run: none outside CI, and none if only some tests were selected."""
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    return BUDGETS_S.get(config.option.markexpr, {}) if IN_CI and is_whole else {}
