"""
Exact least squares for all rows of one side of a factorisation, a stack of rows of about equal length at a time.

In the basis of the eigenvectors of the fixed side's Gram matrix, what all rows share is diagonal. So a row of n pairs
costs an n x n system, or a factors x factors one where that is smaller. Stacks are solved in as many threads as there
are cores, each with one BLAS thread: their sums, and so the answer, are the same every time.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008); the smaller system is
the Woodbury identity.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from recsys.arrays import F32, Csr, Rows
from recsys.recommenders.parts.topk import n_cores

N_STACK = 20_000  # pairs per stack, padding included: at 256 factors their vectors take 20 MB


def half_step(weights: Csr, fixed: F32, *, unobserved: float, penalties: npt.NDArray[np.float64]) -> F32:
    """
    Return, for each row u, the x that minimises the weighted squared error.

    It is sum_i w_ui (1 - x.y_i)^2 + unobserved sum_j (x.y_j)^2 + penalties_u |x|^2.

    Args:
        weights: w > 0 of the observed pairs i of each row. CSR, shape (n_rows, n_fixed), float32.
        fixed: The other side's factors y. Shape (n_fixed, factors).
        unobserved: Weight of every pair j, observed or not, >= 0.
        penalties: Regularisation of each row, > 0. Shape (n_rows,).

    Returns:
        Shape (n_rows, factors), float32.
    """
    solved = np.zeros((weights.shape[0], fixed.shape[1]), np.float32)
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(n_cores()) as pool:
        values, basis = np.linalg.eigh(fixed.T.astype(np.float64) @ fixed)
        shared = (unobserved * np.maximum(values, 0) + penalties[:, None]).astype(np.float32)  # diagonals
        rotated = fixed @ basis.astype(np.float32)

        def work(rows: Rows) -> None:
            solved[rows] = _solved(weights[rows], rotated, shared[rows])

        list(pool.map(work, _stacks(np.diff(weights.indptr))))
        return solved @ basis.T.astype(np.float32)


def _stacks(counts: Rows) -> Iterator[Rows]:
    """Cut the rows, in order of their length, into stacks of at most N_STACK padded pairs."""
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]  # a row without pairs stays zero
    start = 0
    while start < len(order):
        stop = start + max(1, N_STACK // int(counts[order[start]]))
        yield order[start:stop]
        start = stop


def _solved(weights: Csr, fixed: F32, shared: F32) -> F32:
    """Solve one stack in the rotated basis, shape (n_stack, factors)."""
    roots, columns = _padded(weights)
    stack = roots * fixed[columns]  # (B,N,1)*(B,N,F) -> (B,N,F)
    if stack.shape[1] < stack.shape[2]:
        scaled = stack / shared[:, None, :]
        small = scaled @ stack.swapaxes(1, 2) + np.eye(stack.shape[1], dtype=np.float32)  # (B,N,N)
        x = scaled.swapaxes(1, 2) @ np.linalg.solve(small, roots)
    else:
        normal = stack.swapaxes(1, 2) @ stack  # (B,F,F)
        normal.reshape(len(normal), -1)[:, :: normal.shape[1] + 1] += shared  # the diagonals
        x = np.linalg.solve(normal, stack.swapaxes(1, 2) @ roots)
    found: F32 = x[:, :, 0]
    return found


def _padded(weights: Csr) -> tuple[F32, Rows]:
    """Return square roots of the weights (B,N,1) and their columns (B,N); zeros pad a shorter row."""
    counts = np.diff(weights.indptr)
    at = np.arange(counts.max()) < counts[:, None]
    roots, columns = np.zeros((*at.shape, 1), np.float32), np.zeros(at.shape, np.int64)
    roots[at, 0], columns[at] = np.sqrt(weights.data), weights.indices
    return roots, columns
