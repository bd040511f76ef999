"""A task of worker processes that returns what it costs; a worker cannot import it from a script."""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path


class Measured:
    """
    A task whose result is its CPU time and the peak of the process's resident memory, (seconds, bytes).

    Args:
        task: What is measured.
    """

    def __init__(self, task: Callable[[Path], object]) -> None:
        self.task = task

    def __call__(self, path: Path) -> tuple[float, int]:
        """Run the task on a file."""
        before = time.process_time()
        self.task(path)
        return time.process_time() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def peak_of_children() -> int:
    """Return the largest resident memory that a running child of this process has had [bytes]; needs Linux."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return max((_peak_of(child) for child in children), default=0)


def _peak_of(process: str) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
