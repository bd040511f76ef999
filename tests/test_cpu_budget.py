"""CPU budgets of the tests: which runs are checked, and that a run above a budget fails."""

from time import process_time
from types import SimpleNamespace
from typing import Any

import pytest

from . import cpu_budget
from .cpu_budget import REFERENCE_S, CpuBudget


def report(nodeid: str, cpu_s: float) -> Any:
    """Return pytest's report of a phase of a test."""
    return SimpleNamespace(nodeid=nodeid, user_properties=[("cpu_s", cpu_s)])


def _reported(budget: CpuBudget, nodeid: str) -> Any:
    """Return the report of a phase as the plugin completes it."""
    hook = budget.pytest_runtest_makereport()
    next(hook)
    phase: Any = SimpleNamespace(nodeid=nodeid, user_properties=[])
    try:
        hook.send(phase)
    except StopIteration as end:
        return end.value
    raise AssertionError("the hook did not end")


@pytest.fixture
def budget(pytestconfig: pytest.Config) -> CpuBudget:
    """A run with a budget of 10 s for tests/audio and none for other folders."""
    plugin = CpuBudget(pytestconfig)
    plugin.budgets_s = {"audio": 10, "shared fixtures": 10}
    return plugin


@pytest.mark.parametrize(("cpu_s", "status"), [([6.0, 14.0], 0), ([6.0, 14.1], 1)])
def test_a_run_above_twice_a_budget_fails(budget: CpuBudget, cpu_s: list[float], status: int) -> None:
    """Phases add up by folder, and exactly twice the budget is allowed."""
    for number, spent in enumerate(cpu_s):
        budget.pytest_runtest_logreport(report(f"tests/audio/test_x.py::test_{number}", spent))
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)

    budget.pytest_sessionfinish(session)

    assert budget.spent_s == {"audio": pytest.approx(sum(cpu_s)), "shared fixtures": 0, "collection": 0}
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


def test_budgets_grow_where_work_costs_more(budget: CpuBudget) -> None:
    """By the median of the measured reference; a faster machine has the same budgets."""
    budget.pytest_runtest_logreport(report("tests/audio/test_x.py::test_y", 27.0))
    assert budget.over() == ["audio"]

    for reference_s in (1.4, 1.5, 9.0):
        phase = report("tests/audio/test_x.py::test_z", 0.0)
        phase.user_properties.append(("reference_s", reference_s * REFERENCE_S))
        budget.pytest_runtest_logreport(phase)

    assert budget.slowdown() == pytest.approx(1.5)
    assert budget.over() == []

    budget.references_s = [REFERENCE_S / 2]
    assert budget.slowdown() == 1


def test_the_reference_is_measured_between_tests(budget: CpuBudget, monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI, once enough CPU time has passed, also in a worker, which has no budgets; its cost is that of no test."""
    monkeypatch.setattr(cpu_budget, "IN_CI", True)
    budget.budgets_s, budget.referenced_s = {}, budget.referenced_s - 31

    first, second = (_reported(budget, "tests/audio/test_x.py::test_y") for _ in range(2))

    assert dict(first.user_properties)["reference_s"] > 0
    assert "reference_s" not in dict(second.user_properties)
    assert dict(second.user_properties)["cpu_s"] < 0.1


def _work(cpu_s: float) -> None:
    ends_at = process_time() + cpu_s
    while process_time() < ends_at:
        pass


def test_collection_is_no_cost_of_the_first_test(budget: CpuBudget) -> None:
    """It imports what nearly all tests need, and is counted once in each process."""
    _work(0.2)
    budget.pytest_collection_finish()

    for _ in range(2):
        budget.pytest_runtest_logreport(_reported(budget, "tests/audio/test_x.py::test_y"))

    assert budget.spent_s["collection"] == pytest.approx(0.2, abs=0.1)
    assert budget.spent_s["audio"] < 0.1


def test_fixtures_of_the_session_are_no_cost_of_the_first_test(budget: CpuBudget) -> None:
    """They have a budget of their own; other fixtures belong to their test."""
    for scope in ("session", "module"):
        fixture: Any = SimpleNamespace(scope=scope)
        hook = budget.pytest_fixture_setup(fixture)
        next(hook)
        _work(0.2)
        with pytest.raises(StopIteration):
            hook.send(None)

    phase = _reported(budget, "tests/audio/test_x.py::test_y")
    budget.pytest_runtest_logreport(phase)

    assert budget.spent_s["shared fixtures"] == pytest.approx(0.2, abs=0.1)
    assert budget.spent_s["audio"] >= 0.15
