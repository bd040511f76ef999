"""
Worker processes for untrusted files: time and memory are limited per file, and a crash affects only one file.

A worker processes many files, because loading an encoder takes seconds. A worker that crashed or exceeded the time
limit is replaced. All processes end with the `with` block of `Workers`. A task on files of any length calls
`report_progress` as it works: the time limit then holds from one report to the next.
"""

import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
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
from recsys.errors import InputError, SetupError

Result = TypeVar("Result")
START_LIMIT_S = 120  # time limit for the start of a worker [s]
CHECKED_S = 0.25  # time between two calls of the function of `checked_by` [s]
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
WORKER_CODE = "import sys; from recsys.audio.sandbox import run_worker; run_worker(int(sys.argv[1]))"


@dataclass(frozen=True)
class Failure:
    """
    Why a file gave no result.

    Attributes:
        reason: timeout, crash, out_of_memory, or a reason of `UnreadableAudio`.
        message: The reason in words, to be shown after the file's name.
    """

    reason: str
    message: str


@dataclass(frozen=True)
class _Progress:
    """What a task reports while it works on a file."""

    n_done: float


@dataclass
class _Worker(Generic[Result]):
    """A process, the connection to it, its current file (None while idle) and the deadline for that file."""

    process: Popen[bytes]
    connection: Connection
    path: Path | None = None
    deadline: float = 0.0


_check: ContextVar[Callable[[], None]] = ContextVar("_check", default=lambda: None)


@contextmanager
def checked_by(check: Callable[[], None]) -> Iterator[None]:
    """Call a function about every `CHECKED_S` while workers of this block are waited for; what it raises ends them."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


class Workers(Generic[Result]):
    """
    A pool of processes that run one task, path -> result.

    Each process is a new interpreter. Unlike a process of `multiprocessing`, it does not run the main module again (in
    a dashboard, the page). The task and its results must be picklable. If the task raises `UnreadableAudio` or
    `MemoryError`, the result is a `Failure`; any other error is a bug and is raised in the parent process.

    Args:
        task: Called in a worker with one path at a time.
        n_workers: Number of processes.
        limit_s: Time limit per file [s].
        limit_bytes: Memory limit per worker [bytes].
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

    def map(
        self, paths: Sequence[Path], on_progress: Callable[[Path, float], None] = lambda _path, _done: None
    ) -> Iterator[tuple[Path, Result | Failure]]:
        """
        Run the task for every file; yield each path with its result as soon as it is finished.

        Args:
            paths: The files.
            on_progress: Called with a path and what the task reports on it.
        """
        waiting = list(reversed(paths))
        while waiting or any(worker.path for worker in self._workers):
            _check.get()()
            self._assign(waiting)
            yield from self._collect(on_progress)

    def _assign(self, waiting: list[Path]) -> None:
        while waiting and len(self._workers) < self._n_workers:
            self._workers.append(self._start())
        for worker in self._workers:
            if waiting and worker.path is None:
                worker.path = waiting.pop()
                worker.deadline = monotonic() + self._limit_s
                worker.connection.send(worker.path)

    def _collect(self, on_progress: Callable[[Path, float], None]) -> Iterator[tuple[Path, Result | Failure]]:
        busy = [worker for worker in self._workers if worker.path is not None]
        left_s = max(0.0, min(worker.deadline for worker in busy) - monotonic())
        ready = wait([worker.connection for worker in busy], min(left_s, CHECKED_S))
        for worker in busy:
            path = worker.path
            assert path is not None  # noqa: S101 - a busy worker has a file
            if worker.connection in ready:
                result = self._receive(worker)
                if isinstance(result, _Progress):
                    worker.deadline = monotonic() + self._limit_s
                    on_progress(path, result.n_done)
                    continue
            elif monotonic() >= worker.deadline:
                self._stop(worker)
                result = Failure("timeout", f"took longer than {self._limit_s:,.0f} s and was stopped")
            else:
                continue
            worker.path = None
            if worker.process.poll() is not None:
                self._workers.remove(worker)
            yield path, result

    def _receive(self, worker: "_Worker[Result]") -> Result | Failure | _Progress:
        try:
            result = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            status = worker.process.wait()
            return Failure("crash", f"crashed the decoder (exit status {status})")
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    def _start(self) -> "_Worker[Result]":
        ours, theirs = Pipe()
        path = os.pathsep.join(sys.path)  # the worker can import what this process can
        process = Popen(  # noqa: S603 - this interpreter and a constant
            [sys.executable, "-c", WORKER_CODE, str(theirs.fileno())],
            env=os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": path},
            pass_fds=[theirs.fileno()],
            stdin=DEVNULL,
            stderr=DEVNULL,  # decoders print warnings
        )
        theirs.close()
        worker: _Worker[Result] = _Worker(process, ours)
        try:
            self._prepare(worker)
        except BaseException:  # no process may remain, not even after an interrupt
            self._stop(worker)
            raise
        return worker

    def _prepare(self, worker: "_Worker[Result]") -> None:
        try:
            worker.connection.send((self._task, self._limit_bytes))
            if not worker.connection.poll(START_LIMIT_S):
                raise SetupError(
                    f"A worker process was not ready after {START_LIMIT_S} s. Check the free memory of the machine"
                )
            error = worker.connection.recv()
        except (EOFError, ConnectionError) as ended:
            raise SetupError(
                f"A worker process ended before it was ready (exit status {worker.process.wait()}). To see why: "
                f'{quote(sys.executable)} -c "import recsys.audio.sandbox"'
            ) from ended
        if error is not None:
            raise error

    @staticmethod
    def _stop(worker: "_Worker[Result]") -> None:
        worker.connection.close()
        worker.process.kill()
        worker.process.wait()


_parent: list[Connection] = []  # of a worker process


def report_progress(n_done: float) -> None:
    """Report how much of a file is done, in any unit; does nothing outside of a worker process."""
    for connection in _parent:
        connection.send(_Progress(n_done))


def run_worker(handle: int) -> None:
    """Main loop of a worker: receive the task and memory limit, then send a result per path until the parent closes."""
    connection = Connection(handle)
    try:
        task, limit_bytes = connection.recv()
    except Exception as bug:  # noqa: BLE001 - the parent raises it
        connection.send(bug)
        return
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    _parent.append(connection)
    connection.send(None)  # ready
    while True:
        try:
            path = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        connection.send(_result(task, path, limit_bytes))


def _result(task: Callable[[Path], Any], path: Path, limit_bytes: int) -> Any:
    try:
        return task(path)
    except UnreadableAudio as unreadable:
        return Failure(unreadable.reason, unreadable.message)
    except MemoryError:
        return _too_large(limit_bytes)
    except KeyboardInterrupt:
        return Failure("crash", "was interrupted")
    except Exception as bug:  # noqa: BLE001 - the parent raises it
        is_out_of_memory = isinstance(bug, RuntimeError) and "can't allocate memory" in str(bug)  # as torch reports it
        return _too_large(limit_bytes) if is_out_of_memory else bug


def _too_large(limit_bytes: int) -> Failure:
    return Failure("out_of_memory", f"needs more than {limit_bytes / 2**30:.1f} GiB of memory")


def run_one(task: Callable[[Path], Result], path: Path, *, limit_s: float, limit_bytes: int) -> Result:
    """
    Run a task on one path in a worker process.

    Args:
        task: As for `Workers`; an error that the user can fix, which it raises, is raised here.
        path: The path.
        limit_s: Time limit [s].
        limit_bytes: Memory limit [bytes].

    Raises:
        InputError: The file cannot be decoded, or a limit was reached.
    """
    with Workers(task, n_workers=1, limit_s=limit_s, limit_bytes=limit_bytes) as workers:
        _, result = next(workers.map([path]))
    if isinstance(result, Failure):
        raise InputError(f"{path}: {result.message}")
    return result
