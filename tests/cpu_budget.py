"""
What the tests may cost: CPU seconds of each folder. CI prints them, and fails where one is above twice its budget.

Only whole runs, of the fast or of the slow tests, are judged.
"""

import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import PurePath

import pytest

BUDGETS_S = {
    "not slow": {
        "tests": 10, "analytics": 2, "audio": 25, "bench": 5, "cli": 2, "dashboards": 50, "dataset": 2, "demo": 20,
        "evaluate": 5, "experiments": 6, "feedback": 6, "ingest": 12, "lake": 4, "library": 8, "matching": 14,
        "parts": 2, "pipeline": 30, "products": 2, "published": 2, "recommenders": 28, "releases": 4, "reports": 2,
        "rerank": 6, "rules": 4, "search": 4, "synth": 2, "warehouse": 55,
    },
    "slow": {
        "tests": 120, "analytics": 30, "audio": 40, "bench": 330, "dashboards": 230, "dataset": 20, "evaluate": 5,
        "experiments": 60, "feedback": 10, "ingest": 5, "library": 65, "matching": 20, "parts": 10, "pipeline": 720,
        "recommenders": 30, "rerank": 25, "rules": 10, "search": 20, "warehouse": 20,
    },
}  # fmt: skip
TOLERANCE = 2
_NAME = "cpu_s"


class CpuBudget:
    """A pytest plugin that notes on each report what its phase cost, adds up by folder, and judges a whole run."""

    def __init__(self, config: pytest.Config) -> None:
        self.budgets_s = _budgets(config)
        self.spent_s: defaultdict[str, float] = defaultdict(float)
        self.noted_s = _used_s()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Note what this process has used since its last report, the fixtures of the phase included."""
        report = yield
        before, self.noted_s = self.noted_s, _used_s()
        report.user_properties.append((_NAME, self.noted_s - before))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up: the process that tells of all workers gets every report."""
        path = PurePath(report.nodeid.partition("::")[0])
        self.spent_s[path.parent.name] += float(str(dict(report.user_properties)[_NAME]))

    def over(self) -> list[str]:
        """Name the folders that cost more than they may; one without a budget may cost nothing."""
        return [name for name, spent in self.spent_s.items() if spent > TOLERANCE * self.budgets_s.get(name, 0)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that passed and cost too much."""
        if self.budgets_s and self.over() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line per folder, the dearest first."""
        if not self.budgets_s:
            return
        terminalreporter.section(f"CPU seconds: {sum(self.spent_s.values()):.0f}")
        for name, spent in sorted(self.spent_s.items(), key=lambda folder: -folder[1]):
            mark = f" above {TOLERANCE} x its budget" if name in self.over() else ""
            terminalreporter.write_line(f"{name:14} {spent:7.1f} of {self.budgets_s.get(name, 0)}{mark}")


def _used_s() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    return sum(os.times()[:4])


def _budgets(config: pytest.Config) -> dict[str, int]:
    """What this run is held to: nothing outside CI, and nothing where only some tests were asked for."""
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    return BUDGETS_S.get(config.option.markexpr, {}) if "CI" in os.environ and is_whole else {}
