"""Operations on sparse matrices that scipy lacks: replace values; read single entries; renumber columns."""

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recsys.arrays import Csr, Rows


def with_data(pattern: Csr, data: npt.NDArray[Any]) -> Csr:
    """Return a CSR matrix with the sparsity pattern of `pattern` and the values `data`, aligned with `pattern.data`."""
    return sp.csr_matrix((data, pattern.indices, pattern.indptr), shape=pattern.shape)


def entries(matrix: Csr, pairs: tuple[Rows, Rows]) -> npt.NDArray[Any]:
    """Return the entries of a CSR matrix at these pairs of row and column, of which there may be none. (n_pairs,)."""
    if not len(pairs[0]):
        return np.zeros(0, matrix.dtype)  # scipy would return an empty matrix
    return np.asarray(matrix[pairs]).ravel()


def realign(matrix: Csr, rows: Rows, new_columns: Rows, n_columns: int) -> Csr:
    """
    Select rows of a matrix and renumber its columns, for example to match the catalogue of another model.

    Args:
        matrix: CSR, shape (n_rows, n_old_columns).
        rows: For each row of the result, the row of `matrix` to copy; -1: leave the row empty.
        new_columns: For each column of `matrix`, its column in the result; -1: drop it. Shape (n_old_columns,).
        n_columns: Number of columns of the result.

    Returns:
        CSR, shape (len(rows), n_columns).
    """
    known = np.flatnonzero(rows >= 0)
    selected = matrix[rows[known]].tocoo()
    keep = new_columns[selected.col] >= 0
    positions = (known[selected.row[keep]], new_columns[selected.col[keep]])
    return sp.csr_matrix((selected.data[keep], positions), shape=(len(rows), n_columns))
