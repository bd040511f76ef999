"""Sparse matrices whose rows or columns are moved: what scipy does not do in one call."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recsys.arrays import Csr, Rows


def with_data(pattern: Csr, data: npt.NDArray[Any]) -> Csr:
    """Return a CSR matrix with the non-zero positions of `pattern` and other values, aligned with its data."""
    return sp.csr_matrix((data, pattern.indices, pattern.indptr), shape=pattern.shape)


def realign(matrix: Csr, rows: Rows, new_columns: Rows, n_columns: int) -> Csr:
    """
    Return some rows of a matrix, with its columns moved.

    Args:
        matrix: CSR, shape (n_rows, n_old_columns).
        rows: The row to put in each place of the result; -1: an empty row.
        new_columns: The new position of each old column; -1: the column is dropped. Shape (n_old_columns,).
        n_columns: How many columns the result has.

    Returns:
        CSR, shape (len(rows), n_columns).
    """
    known = np.flatnonzero(rows >= 0)
    picked = matrix[rows[known]].tocoo()
    keep = new_columns[picked.col] >= 0
    positions = (known[picked.row[keep]], new_columns[picked.col[keep]])
    return sp.csr_matrix((picked.data[keep], positions), shape=(len(rows), n_columns))
