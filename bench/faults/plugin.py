"""
A pytest plugin, copied into the checkout under test: it reports each test's outcome, time and fixtures as JSON lines.

Code that runs in a fixture of a module or session is attributed to the fixture (FAULTS_MARK), because every test that
uses it can catch a fault there. While tracing, the package's caches are emptied before each test: otherwise a value
cached by one test would hide the code from the next.
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
CHOSEN = {test: position for position, test in enumerate(json.loads(Path(os.environ["FAULTS_TESTS"]).read_text()))}
IS_TRACED = (ROOT / "recsys" / "faultprobe.py").exists()


def _write(**row: object) -> None:
    with REPORTS.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")


def _mark(definition: Any, index: int) -> str:
    return f"fixture:{definition.baseid}::{definition.argname}[{index}]"


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
    """Attribute what a fixture wider than one test does to the fixture."""
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
    """Keep only the chosen tests, in their order."""
    if CHOSEN:
        items[:] = sorted((item for item in items if item.nodeid in CHOSEN), key=lambda item: CHOSEN[item.nodeid])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Report the ids of all tests where they are only collected."""
    if session.config.option.collectonly:
        for item in session.items:
            _write(test=item.nodeid)


def pytest_runtest_setup(item: Any) -> None:
    """Report that a test begins, and its fixtures; empty the package's caches while tracing."""
    _write(test=item.nodeid)
    if not IS_TRACED:
        return
    indices = item.callspec.indices if hasattr(item, "callspec") else {}
    known = item._fixtureinfo.name2fixturedefs.items()  # noqa: SLF001 - pytest has no public name for it
    marks = [_mark(definition, indices.get(name, 0)) for name, definitions in known for definition in definitions]
    _write(test=item.nodeid, marks=marks)
    for module in [module for name, module in sys.modules.items() if name.partition(".")[0] == "recsys"]:
        for value in list(vars(module).values()):
            if isinstance(value, functools._lru_cache_wrapper):  # noqa: SLF001 - it has no other name
                value.cache_clear()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Report the outcome of a phase of a test, unless a worker process has reported it already."""
    if hasattr(report, "node"):
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    error = crash.message.partition(":")[0].partition("\n")[0][:60] if crash else ""
    _write(test=report.nodeid, outcome=report.outcome, seconds=report.duration, error=error)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Report a test file that could not be collected."""
    if report.failed:
        _write(test=report.nodeid, outcome="failed", seconds=0.0, error="not collected")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report the CPU time of this process and its children; of several test processes, each worker reports its own."""
    if not session.config.pluginmanager.hasplugin("dsession"):
        _write(cpu_s=sum(os.times()[:4]))
