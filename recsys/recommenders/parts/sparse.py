"""Sparse matrices in models: convert to plain arrays for saving, and back; keep the largest values per row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr


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
    """Keep the `n` largest values per row of a CSR matrix. Among equal values, keep those in lower columns."""
    counts = np.diff(matrix.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((matrix.indices, -matrix.data, row))
    rank = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], counts)
    kept = np.sort(order[rank < n])
    ends = np.concatenate([[0], np.cumsum(np.minimum(counts, n))])
    return sp.csr_matrix((matrix.data[kept], matrix.indices[kept], ends), matrix.shape)
