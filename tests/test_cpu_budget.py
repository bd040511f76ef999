"""The CPU budget of the tests: which runs are checked, and that a run above its budget fails."""

from types import SimpleNamespace
from typing import Any

import pytest

from .cpu_budget import CpuBudget


def report(nodeid: str, cpu_s: float) -> Any:
    """Pytest's report of a phase of a test."""
    return SimpleNamespace(nodeid=nodeid, user_properties=[("cpu_s", cpu_s)])


@pytest.fixture
def budget(pytestconfig: pytest.Config) -> CpuBudget:
    """A run in which only tests/audio has a budget, of 10 s."""
    made = CpuBudget(pytestconfig)
    made.budgets_s = {"audio": 10}
    return made


@pytest.mark.parametrize(("cpu_s", "status"), [([6.0, 14.0], 0), ([6.0, 14.1], 1)])
def test_twice_the_budget_is_the_most(budget: CpuBudget, cpu_s: list[float], status: int) -> None:
    """Phases are added up per folder; above twice its budget, a run fails although its tests passed."""
    for number, spent in enumerate(cpu_s):
        budget.pytest_runtest_logreport(report(f"tests/audio/test_x.py::test_{number}", spent))
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    budget.pytest_sessionfinish(session)

    assert budget.spent_s == {"audio": pytest.approx(sum(cpu_s))}
    assert session.exitstatus == status


def test_a_folder_without_a_budget_may_cost_nothing(budget: CpuBudget) -> None:
    """A new folder must therefore be given a budget."""
    budget.pytest_runtest_logreport(report("tests/brand_new/test_x.py::test_y", 0.1))

    assert budget.over() == ["brand_new"]


def test_a_run_of_some_tests_is_not_judged(budget: CpuBudget) -> None:
    """Runs of selected tests and runs outside CI are not checked."""
    budget.budgets_s = {}
    budget.pytest_runtest_logreport(report("tests/audio/test_x.py::test_y", 1e6))
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    budget.pytest_sessionfinish(session)

    assert session.exitstatus == pytest.ExitCode.OK
