"""
The half-step of alternating least squares: solutions for all rows of one side of a factorisation.

Rows with similar numbers of pairs are solved together, as a stack. In the eigenbasis of the Gram matrix of the fixed
side, the part of the linear system that all rows share is diagonal. That diagonal preconditions conjugate gradients,
which then need few iterations: a row with n pairs costs n x factors operations per iteration, where a direct solution
costs n^2 x factors. A row stops at its own residual, so its solution does not depend on the rows beside it. Stacks are
solved in parallel, with one BLAS thread each, so results are the same in every run.

Sources: Hu, Koren, Volinsky, Collaborative Filtering for Implicit Feedback Datasets (ICDM 2008); Takács, Pilászy, Tikk,
Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering (RecSys 2011).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from recsys.arrays import F32, F64, Csr, Rows
from recsys.recommenders.parts.workers import in_threads, one_blas_thread

N_STACK = 2_000  # maximum number of pairs per stack, with padding; with 256 factors, their vectors take 2 MB
TOLERANCE = 2e-5  # of solutions that are kept
MAX_ITERATIONS = 100


def half_step(weights: Csr, fixed: F32, *, unobserved: float, penalties: F64, tolerance: float = TOLERANCE) -> F32:
    """
    Return, for each row u, the factors x that minimise the regularized weighted squared error, up to `tolerance`.

    The error is the sum of w_ui (1 - x.y_i)^2 over observed pairs i, unobserved * (x.y_j)^2 over all pairs j, and
    penalties_u |x|^2.

    Args:
        weights: Weights w > 0 of the observed pairs i of each row. CSR, shape (n_rows, n_fixed), float32.
        fixed: Factors y of the other side. Shape (n_fixed, factors).
        unobserved: Weight, >= 0, of every pair j, whether observed or not.
        penalties: L2 regularization of each row, > 0. Shape (n_rows,).
        tolerance: A row is solved when its preconditioned residual is this small, relative to that of 0.

    Returns:
        Factors x. Shape (n_rows, factors), float32; 0 for a row without pairs.
    """
    return FixedSide.of(fixed).solve(weights, unobserved=unobserved, penalties=penalties, tolerance=tolerance)


@dataclass(frozen=True, eq=False)
class FixedSide:
    """
    The fixed side of a half-step, prepared once for any number of rows.

    Attributes:
        fixed: Its factors y, shape (n_fixed, factors).
        eigenvalues: Of the Gram matrix y'y, shape (factors,), float64.
        basis: Its eigenvectors, shape (factors, factors).
        rotated: The factors in this basis, shape (n_fixed, factors).
    """

    fixed: F32
    eigenvalues: F64
    basis: F32
    rotated: F32

    @classmethod
    def of(cls, fixed: F32) -> Self:
        """Prepare the factors of a fixed side."""
        with one_blas_thread():
            values, basis = np.linalg.eigh(fixed.T.astype(np.float64) @ fixed)
            rounded = basis.astype(np.float32)
            return cls(fixed, values, rounded, fixed @ rounded)

    def solve(self, weights: Csr, *, unobserved: float, penalties: F64, tolerance: float = TOLERANCE) -> F32:
        """Return what `half_step` does."""
        solved = np.zeros((weights.shape[0], self.fixed.shape[1]), np.float32)
        shared = (unobserved * np.maximum(self.eigenvalues, 0) + penalties[:, None]).astype(np.float32)  # diagonals

        def work(rows: Rows) -> None:
            solved[rows] = _solved(weights[rows], self.rotated, shared[rows], tolerance)

        in_threads(work, list(_stacks(np.diff(weights.indptr))))
        with one_blas_thread():
            return solved @ self.basis.T


def _stacks(counts: Rows) -> Iterator[Rows]:
    """Yield the rows, sorted by number of pairs, in stacks of at most N_STACK pairs including padding."""
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]  # rows without pairs stay 0
    start = 0
    while start < len(order):
        stop = start + max(1, N_STACK // int(counts[order[start]]))
        yield order[start:stop]
        start = stop


def _solved(weights: Csr, fixed: F32, shared: F32, tolerance: float) -> F32:
    """Solve one stack of rows in the eigenbasis. Shape (n_stack, factors)."""
    roots, columns = _padded(weights)
    pairs: F32 = fixed.take(columns, axis=0)  # (B,N,F)
    pairs *= roots
    transposed, diagonal = pairs.swapaxes(1, 2), shared[:, :, None]
    inverse: F32 = np.reciprocal(diagonal)
    residual: F32 = np.matmul(transposed, roots)  # (B,F,1); the start is 0
    x = np.zeros_like(residual)
    direction = inverse * residual
    square = _inner(residual, direction)  # (B,1,1), the squared norm of the residual
    limit = square * np.float32(tolerance**2)
    for _ in range(MAX_ITERATIONS):
        is_open = square > limit
        if not is_open.any():
            break
        image = diagonal * direction + transposed @ (pairs @ direction)
        length = np.divide(square, _inner(direction, image), out=np.zeros_like(square), where=is_open)
        x += length * direction
        residual -= length * image
        preconditioned = inverse * residual
        before, square = square, np.where(is_open, _inner(residual, preconditioned), square).astype(np.float32)
        direction = preconditioned + np.divide(square, before, out=np.zeros_like(square), where=is_open) * direction
    factors: F32 = x[:, :, 0]
    return factors


def _inner(left: F32, right: F32) -> F32:
    """Return the inner products of two stacks of columns, (B,F,1) each. Shape (B,1,1)."""
    product: F32 = left.swapaxes(1, 2) @ right
    return product


def _padded(weights: Csr) -> tuple[F32, Rows]:
    """Return the square roots of the weights, (B,N,1), and their columns, (B,N), both padded with zeros."""
    counts = np.diff(weights.indptr)
    is_pair = np.arange(counts.max()) < counts[:, None]
    roots, columns = np.zeros((*is_pair.shape, 1), np.float32), np.zeros(is_pair.shape, np.int64)
    roots[is_pair, 0], columns[is_pair] = np.sqrt(weights.data), weights.indices
    return roots, columns
