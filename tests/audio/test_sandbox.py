"""Worker processes: limits hold, a crash loses one file, bugs are raised, no process remains."""

import os
import signal
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from recsys.audio import sandbox
from recsys.audio.sandbox import Failure, Workers
from recsys.audio.signal import UnreadableAudio
from recsys.errors import SetupError


def task(path: Path) -> str:
    """Do what the name of the file says."""
    match path.name:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "hang":
            time.sleep(600)
        case "allocate":
            return str(len(np.ones(2**31)))
        case "allocate by torch":
            import torch  # noqa: PLC0415 - a second for each worker, which imports this module

            return str(len(torch.ones(2**31)))
        case "refuse":
            raise UnreadableAudio("empty", path, "an empty file")
        case "progress":
            for share in (0.25, 0.5, 1.0):
                time.sleep(0.8)
                sandbox.report_progress(share)
        case "bug":
            raise ZeroDivisionError("a bug")
    return path.name


def test_a_file_that_kills_its_worker_harms_no_other() -> None:
    """Crash, timeout, lack of memory and refusal are failures of that file only; the other files are processed."""
    names = ["a", "crash", "b", "hang", "c", "allocate", "allocate by torch", "refuse", "d"]

    with Workers(task, n_workers=2, limit_s=8, limit_bytes=2 << 30) as workers:
        results = {path.name: result for path, result in workers.map([Path(name) for name in names])}

    assert {name: result for name, result in results.items() if isinstance(result, str)} == {n: n for n in "abcd"}
    reasons = {name: result.reason for name, result in results.items() if isinstance(result, Failure)}
    out_of_memory = dict.fromkeys(("allocate", "allocate by torch"), "out_of_memory")
    assert reasons == {"crash": "crash", "hang": "timeout", "refuse": "empty", **out_of_memory}
    messages = {name: result.message for name, result in results.items() if isinstance(result, Failure)}
    assert messages == {
        "crash": "crashed the decoder (exit status -11)",
        "hang": "took longer than 8 s and was stopped",
        "allocate": "needs more than 2.0 GiB of memory",
        "allocate by torch": "needs more than 2.0 GiB of memory",
        "refuse": "an empty file",
    }


def test_progress_is_passed_on_and_extends_the_time_limit() -> None:
    """A task that reports how far it is may take longer than its limit; outside of a worker, a report does nothing."""
    reported: list[tuple[str, float]] = []

    with Workers(task, n_workers=1, limit_s=1.8, limit_bytes=2 << 30) as workers:
        results = list(workers.map([Path("progress")], lambda path, share: reported.append((path.name, share))))
    sandbox.report_progress(0.5)

    assert results == [(Path("progress"), "progress")]
    assert reported == [("progress", 0.25), ("progress", 0.5), ("progress", 1.0)]


def test_a_bug_is_raised_in_the_parent() -> None:
    """It is not a failure of a file."""
    with Workers(task, n_workers=1, limit_s=30, limit_bytes=1 << 30) as workers, pytest.raises(ZeroDivisionError):
        list(workers.map([Path("bug")]))


def test_a_worker_does_not_run_the_main_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a dashboard, the main module is the page; running it again would end the worker."""
    page = tmp_path / "page.py"
    page.write_text("raise SystemExit('the page was run')")
    main = ModuleType("__main__")
    main.__file__ = str(page)
    monkeypatch.setitem(sys.modules, "__main__", main)

    with Workers(task, n_workers=1, limit_s=30, limit_bytes=1 << 30) as workers:
        assert list(workers.map([Path("a")])) == [(Path("a"), "a")]


def test_a_worker_that_cannot_start_says_how_to_see_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package may be broken, or the machine out of memory."""
    monkeypatch.setattr(sandbox, "WORKER_CODE", "raise SystemExit(3)")

    with (
        Workers(task, n_workers=1, limit_s=30, limit_bytes=1 << 30) as workers,
        pytest.raises(SetupError, match=r"exit status 3.*import recsys\.audio\.sandbox"),
    ):
        list(workers.map([Path("a")]))


def test_no_process_remains_after_the_block() -> None:
    """Not even one that was busy."""
    with Workers(task, n_workers=2, limit_s=600, limit_bytes=1 << 30) as workers:
        results = workers.map([Path("a"), Path("hang"), Path("b")])
        next(results)
        processes = [worker.process for worker in workers._workers]
        assert any(process.poll() is None for process in processes)

    assert not any(process.poll() is None for process in processes)
