"""
The half-step of alternating least squares: exact solutions for all rows of one side of a factorisation.

Rows with similar numbers of pairs are solved together, as a stack. In the eigenbasis of the Gram matrix of the fixed
side, the part of the linear system that all rows share is diagonal. So, by the Woodbury identity, a row with n pairs
needs an n x n system, or a factors x factors system if that is smaller. Stacks are solved in parallel, with one BLAS
thread each, so results are the same in every run.

Source: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from recsys.arrays import F32, Csr, Rows
from recsys.recommenders.parts.topk import n_cores

N_STACK = 20_000  # maximum number of pairs per stack, with padding; with 256 factors, their vectors take 20 MB


def half_step(weights: Csr, fixed: F32, *, unobserved: float, penalties: npt.NDArray[np.float64]) -> F32:
    """
    Return, for each row u, the factors x that minimise the regularized weighted squared error.

    The error is the sum of w_ui (1 - x.y_i)^2 over observed pairs i, unobserved * (x.y_j)^2 over all pairs j, and
    penalties_u |x|^2.

    Args:
        weights: Weights w > 0 of the observed pairs i of each row. CSR, shape (n_rows, n_fixed), float32.
        fixed: Factors y of the other side. Shape (n_fixed, factors).
        unobserved: Weight, >= 0, of every pair j, whether observed or not.
        penalties: L2 regularization of each row, > 0. Shape (n_rows,).

    Returns:
        Factors x. Shape (n_rows, factors), float32; 0 for a row without pairs.
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
    """Yield the rows, sorted by number of pairs, in stacks of at most N_STACK pairs including padding."""
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]  # rows without pairs stay 0
    start = 0
    while start < len(order):
        stop = start + max(1, N_STACK // int(counts[order[start]]))
        yield order[start:stop]
        start = stop


def _solved(weights: Csr, fixed: F32, shared: F32) -> F32:
    """Solve one stack of rows in the eigenbasis. Shape (n_stack, factors)."""
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
    factors: F32 = x[:, :, 0]
    return factors


def _padded(weights: Csr) -> tuple[F32, Rows]:
    """Return the square roots of the weights, (B,N,1), and their columns, (B,N), both padded with zeros."""
    counts = np.diff(weights.indptr)
    is_pair = np.arange(counts.max()) < counts[:, None]
    roots, columns = np.zeros((*is_pair.shape, 1), np.float32), np.zeros(is_pair.shape, np.int64)
    roots[is_pair, 0], columns[is_pair] = np.sqrt(weights.data), weights.indices
    return roots, columns
