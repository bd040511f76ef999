"""CPU budgets of the tests: which runs are checked, and that a run above a budget fails."""

from types import SimpleNamespace
from typing import Any

import pytest

from .cpu_budget import CpuBudget


def report(nodeid: str, cpu_s: float) -> Any:
    """Return pytest's report of a phase of a test."""
    return SimpleNamespace(nodeid=nodeid, user_properties=[("cpu_s", cpu_s)])


@pytest.fixture
def budget(pytestconfig: pytest.Config) -> CpuBudget:
    """A run with a budget of 10 s for tests/audio and none for other folders."""
    plugin = CpuBudget(pytestconfig)
    plugin.budgets_s = {"audio": 10}
    return plugin


@pytest.mark.parametrize(("cpu_s", "status"), [([6.0, 14.0], 0), ([6.0, 14.1], 1)])
def test_a_run_above_twice_a_budget_fails(budget: CpuBudget, cpu_s: list[float], status: int) -> None:
    """Phases add up by folder, and exactly twice the budget is allowed."""
    for number, spent in enumerate(cpu_s):
        budget.pytest_runtest_logreport(report(f"tests/audio/test_x.py::test_{number}", spent))
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    budget.pytest_sessionfinish(session)

    assert budget.spent_s == {"audio": pytest.approx(sum(cpu_s))}
    assert session.exitstatus == status


def test_a_folder_without_a_budget_exceeds_it(budget: CpuBudget) -> None:
    """So that every new folder gets a budget."""
    budget.pytest_runtest_logreport(report("tests/brand_new/test_x.py::test_y", 0.1))

    assert budget.over() == ["brand_new"]


def test_a_run_without_budgets_passes_at_any_cost(budget: CpuBudget) -> None:
    """No budgets apply to a run of selected tests, or outside CI."""
    budget.budgets_s = {}
    budget.pytest_runtest_logreport(report("tests/audio/test_x.py::test_y", 1e6))
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    budget.pytest_sessionfinish(session)

    assert session.exitstatus == pytest.ExitCode.OK
