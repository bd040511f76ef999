"""Sparse matrices among a model's weights: into plain arrays and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse as sp

from recsys.arrays import Csr


def arrays_of(name: str, matrix: Csr) -> dict[str, Any]:
    """Return the parts of a CSR matrix, each under `name` and its own."""
    shape = np.asarray(matrix.shape)
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": shape}
    return {f"{name}_{part}": array for part, array in parts.items()}


def matrix_of(name: str, arrays: Mapping[str, Any]) -> Csr:
    """Return the matrix that `arrays_of` took apart."""
    data, indices, indptr, shape = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr", "shape"))
    return sp.csr_matrix((data, indices, indptr), shape=tuple(shape))


def strongest_of_rows(matrix: Csr, n: int) -> Csr:
    """Keep the `n` largest values of each row of a CSR matrix; of equal ones, those of the lower column."""
    counts = np.diff(matrix.indptr)
    row = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((matrix.indices, -matrix.data, row))
    place = np.arange(len(order)) - np.repeat(matrix.indptr[:-1], counts)
    kept = np.sort(order[place < n])
    ends = np.concatenate([[0], np.cumsum(np.minimum(counts, n))])
    return sp.csr_matrix((matrix.data[kept], matrix.indices[kept], ends), matrix.shape)
