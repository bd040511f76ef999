"""
Worker processes for files that nobody trusts: each file has a limit of time and of memory, and a crash loses one file.

A worker is started once and kept, since loading an encoder takes seconds; one that crashed or was stopped is replaced.
Nothing runs on after the block that the workers were made in.
"""

import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from shlex import quote
from subprocess import DEVNULL, Popen
from time import monotonic
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from recsys.audio.signal import UnreadableAudio
from recsys.errors import SetupError

Result = TypeVar("Result")
START_S = 120  # a process that is not ready by then never will be
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ANSWER = "import sys; from recsys.audio.sandbox import answer; answer(int(sys.argv[1]))"


@dataclass(frozen=True)
class Failure:
    """
    Why a file gave no result.

    Attributes:
        reason: timeout, crash, out_of_memory, or a reason of `UnreadableAudio`.
        message: The same for a person, in a few words that go on from the file's name.
    """

    reason: str
    message: str


@dataclass
class _Worker(Generic[Result]):
    """A process, the line to it, and what it is at: a file and when its time is up."""

    process: Popen[bytes]
    line: Connection
    path: Path | None = None
    until: float = 0.0


class Workers(Generic[Result]):
    """
    Processes that all do one task, path -> result.

    They are interpreters of their own, which never run the main module again as those of `multiprocessing` do: in a
    page of a dashboard that module is the page. The task and its results must be picklable. An `UnreadableAudio` or a
    `MemoryError` that it raises is a `Failure` of that file; any other error is a bug, and raised here.
    """

    def __init__(self, task: Callable[[Path], Result], *, n_workers: int, limit_s: float, limit_bytes: int) -> None:
        self._task = task
        self._limit_s, self._limit_bytes = limit_s, limit_bytes
        self._n_workers = n_workers
        self._workers: list[_Worker[Result]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            self._stop(worker)
        self._workers.clear()

    def map(self, paths: Sequence[Path]) -> Iterator[tuple[Path, Result | Failure]]:
        """Do the task for every file; yields each as soon as it is done."""
        waiting = list(reversed(paths))
        while waiting or any(worker.path for worker in self._workers):
            self._set_to_work(waiting)
            yield from self._finished()

    def _set_to_work(self, waiting: list[Path]) -> None:
        while waiting and len(self._workers) < self._n_workers:
            self._workers.append(self._started())
        for worker in self._workers:
            if waiting and worker.path is None:
                worker.path = waiting.pop()
                worker.until = monotonic() + self._limit_s
                worker.line.send(worker.path)

    def _finished(self) -> Iterator[tuple[Path, Result | Failure]]:
        busy = [worker for worker in self._workers if worker.path is not None]
        left_s = max(0.0, min(worker.until for worker in busy) - monotonic())
        ready = wait([worker.line for worker in busy], left_s)
        for worker in busy:
            path = worker.path
            assert path is not None  # noqa: S101 - it is busy
            if worker.line in ready:
                result = self._received(worker)
            elif monotonic() >= worker.until:
                self._stop(worker)
                result = Failure("timeout", f"took longer than {self._limit_s:,.0f} s and was given up")
            else:
                continue
            worker.path = None
            if worker.process.poll() is not None:
                self._workers.remove(worker)
            yield path, result

    def _received(self, worker: "_Worker[Result]") -> Result | Failure:
        try:
            result = worker.line.recv()
        except (EOFError, ConnectionResetError):
            status = worker.process.wait()
            return Failure("crash", f"made the decoder crash (exit status {status})")
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    def _started(self) -> "_Worker[Result]":
        ours, theirs = Pipe()
        path = os.pathsep.join(sys.path)  # what can be imported here can be imported there
        process = Popen(  # noqa: S603 - this interpreter, our own words
            [sys.executable, "-c", ANSWER, str(theirs.fileno())],
            env=os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": path},
            pass_fds=[theirs.fileno()],
            stdin=DEVNULL,
            stderr=DEVNULL,  # what decoders print
        )
        theirs.close()
        worker: _Worker[Result] = _Worker(process, ours)
        try:
            self._prepare(worker)
        except BaseException:  # an interrupt too leaves no process behind
            self._stop(worker)
            raise
        return worker

    def _prepare(self, worker: "_Worker[Result]") -> None:
        try:
            worker.line.send((self._task, self._limit_bytes))
            if not worker.line.poll(START_S):
                raise SetupError(f"A worker process was not ready after {START_S} s. Is the machine out of memory?")
            wrong = worker.line.recv()
        except (EOFError, ConnectionError) as ended:
            raise SetupError(
                f"A worker process ended before it was ready (exit status {worker.process.wait()}). To see why: "
                f'{quote(sys.executable)} -c "import recsys.audio.sandbox"'
            ) from ended
        if wrong is not None:
            raise wrong

    @staticmethod
    def _stop(worker: "_Worker[Result]") -> None:
        worker.line.close()
        worker.process.kill()
        worker.process.wait()


def answer(line_number: int) -> None:
    """Be a worker: take a task and its limit of memory from the line of this number, then answer paths till it ends."""
    line = Connection(line_number)
    try:
        task, limit_bytes = line.recv()
    except Exception as bug:  # noqa: BLE001 - travels to the parent, which raises it
        line.send(bug)
        return
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    line.send(None)  # ready
    while True:
        try:
            path = line.recv()
        except (EOFError, KeyboardInterrupt):
            return
        line.send(_result(task, path, limit_bytes))


def _result(task: Callable[[Path], Any], path: Path, limit_bytes: int) -> Any:
    try:
        return task(path)
    except UnreadableAudio as unreadable:
        return Failure(unreadable.reason, unreadable.message)
    except MemoryError:
        return _too_large(limit_bytes)
    except KeyboardInterrupt:
        return Failure("crash", "was interrupted")
    except Exception as bug:  # noqa: BLE001 - travels to the parent, which raises it
        is_hunger = isinstance(bug, RuntimeError) and "can't allocate memory" in str(bug)  # torch has no word for it
        return _too_large(limit_bytes) if is_hunger else bug


def _too_large(limit_bytes: int) -> Failure:
    return Failure("out_of_memory", f"needs more than {limit_bytes / 2**30:.1f} GiB of memory")
