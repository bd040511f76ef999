"""
Worker threads for numpy and scipy: one thread of BLAS each, so that results are the same in every run.

A fold-in for one listener takes milliseconds, which looking for the BLAS libraries and starting threads would double:
the libraries are looked for once, and a single piece of work is done in the calling thread.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

import scipy.linalg  # noqa: F401 - loads the BLAS of scipy, which is found like numpy's only when it is loaded
from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, in all threads of this process."""
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], *, n_threads: int = 0) -> list[Result]:
    """
    Return the results of some work, in the order of the items, with one thread of BLAS per worker.

    Args:
        work: Called once per item, by several threads at the same time.
        items: What to work on.
        n_threads: Number of workers. 0: one per core available to this process.
    """
    n_workers = min(n_threads or n_cores(), len(items))
    with one_blas_thread():
        if n_workers <= 1:
            return [work(item) for item in items]
        with ThreadPoolExecutor(n_workers) as pool:
            return list(pool.map(work, items))


def n_cores() -> int:
    """Return the number of cores available to this process."""
    return len(os.sched_getaffinity(0))
