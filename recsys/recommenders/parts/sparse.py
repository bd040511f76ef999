"""Sparse matrices in models: convert to plain arrays for saving, and back; keep the largest values per row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.arrays import F32, I32, Bool, Csr


def arrays_of(name: str, matrix: Csr) -> dict[str, Any]:
    """Return the arrays of a CSR matrix as 'NAME_data', 'NAME_indices', 'NAME_indptr' and 'NAME_shape'."""
    shape = np.asarray(matrix.shape)
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": shape}
    return {f"{name}_{part}": array for part, array in parts.items()}


def matrix_of(name: str, arrays: Mapping[str, Any]) -> Csr:
    """Rebuild the CSR matrix `name` from the arrays that `arrays_of` returned."""
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr", "shape"))
    return sp.csr_matrix((data, indices, indptr), shape=tuple(shape))


def largest_per_row(matrix: Csr, n: int) -> Csr:
    """
    Keep the `n` largest values per row of a CSR matrix. Among equal values, keep those in lower columns.

    Kept values stay in their order. Each row is partitioned, not sorted: with rows of all users, the time of a nightly
    run was that of the sort.
    """
    starts, counts = matrix.indptr[:-1], np.diff(matrix.indptr)
    kept = np.ones(matrix.nnz, np.bool_)
    for row in np.flatnonzero(counts > n):
        values = slice(starts[row], starts[row] + counts[row])
        kept[values] = _is_largest(matrix.data[values], matrix.indices[values], n)
    ends = np.concatenate([[0], np.cumsum(np.minimum(counts, n))])
    return sp.csr_matrix((matrix.data[kept], matrix.indices[kept], ends), matrix.shape)


def _is_largest(values: F32, columns: I32, n: int) -> Bool:
    """Return whether each of more than `n` values is among the `n` largest, (n_values,)."""
    bound = np.partition(values, -n)[-n]
    is_kept: Bool = values > bound
    equal = np.flatnonzero(values == bound)
    is_kept[equal[np.argsort(columns[equal], kind="stable")][: n - np.count_nonzero(is_kept)]] = True
    return is_kept
