"""
A plugin for pytest, laid into the copy that is tested: how each test ended, what it cost, on which fixtures it stands.

What a fixture wider than one test sets off is marked as the fixture's (FAULTS_MARK), since every test that uses it may
notice. Caches of the package are emptied before each test while faults are traced: what a first test left computed
would hide from the next.
"""

import functools
import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent
REPORTS = Path(os.environ["FAULTS_REPORTS"])
CHOSEN = {test: place for place, test in enumerate(json.loads(Path(os.environ["FAULTS_TESTS"]).read_text()))}
IS_TRACED = (ROOT / "recsys" / "faultprobe.py").exists()


def _write(**row: object) -> None:
    with REPORTS.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def _mark(definition: Any, index: int) -> str:
    return f"fixture:{definition.baseid}::{definition.argname}[{index}]"


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
    """Mark what a fixture of a module or the session does as its own."""
    if fixturedef.scope == "function":
        return (yield)
    before = os.environ.pop("FAULTS_MARK", None)
    os.environ["FAULTS_MARK"] = _mark(fixturedef, getattr(request, "param_index", 0))
    try:
        return (yield)
    finally:
        del os.environ["FAULTS_MARK"]
        if before is not None:
            os.environ["FAULTS_MARK"] = before


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that were chosen, in their order."""
    if CHOSEN:
        items[:] = sorted((item for item in items if item.nodeid in CHOSEN), key=lambda item: CHOSEN[item.nodeid])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write which tests there are where nothing else is asked."""
    if session.config.option.collectonly:
        for item in session.items:
            _write(test=item.nodeid)


def pytest_runtest_setup(item: Any) -> None:
    """Write that a test begins, and which fixtures it stands on."""
    _write(test=item.nodeid)
    if not IS_TRACED:
        return
    indices = item.callspec.indices if hasattr(item, "callspec") else {}
    known = item._fixtureinfo.name2fixturedefs.items()  # noqa: SLF001 - pytest tells it nowhere else
    marks = [_mark(definition, indices.get(name, 0)) for name, definitions in known for definition in definitions]
    _write(test=item.nodeid, marks=marks)
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] == "recsys"]:
        for value in list(vars(module).values()):
            if isinstance(value, functools._lru_cache_wrapper):  # noqa: SLF001 - it has no other name
                value.cache_clear()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write how a phase of a test ended, unless it is another process that says so (it has written it itself)."""
    if hasattr(report, "node"):
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    error = crash.message.partition(":")[0].partition("\n")[0][:60] if crash else ""
    _write(test=report.nodeid, outcome=report.outcome, seconds=report.duration, error=error)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Write that a file could not be read."""
    if report.failed:
        _write(test=report.nodeid, outcome="failed", seconds=0.0, error="not collected")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what this process and its children cost; where tests are spread over processes, each of them does."""
    if not session.config.pluginmanager.hasplugin("dsession"):
        _write(cpu_s=sum(os.times()[:4]))
