"""Aliases of array types for annotations; shape and unit are documented where an array is used."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

F32: TypeAlias = npt.NDArray[np.float32]
F64: TypeAlias = npt.NDArray[np.float64]
I8: TypeAlias = npt.NDArray[np.int8]
I16: TypeAlias = npt.NDArray[np.int16]
I32: TypeAlias = npt.NDArray[np.int32]
I64: TypeAlias = npt.NDArray[np.int64]
Bool: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = I64  # row numbers of users, tracks or vectors
Csr: TypeAlias = Any  # scipy.sparse.csr_matrix, which ships no types
