"""Features of tracks and listeners: a sparse matrix with one named column per value."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.vocab import Vocab

FEATURE_KIND = "feature"
UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Features:
    """
    What is known of each row, one column a value such as 'genre=rock'; unknown is a value of its own.

    Attributes:
        matrix: Above 0 where the row has the value: 1, or its weight where one is known (`weighted`). CSR, shape
            (n_rows, n_features), float32.
        names: The values, 'column=value'.
    """

    matrix: Csr
    names: Vocab

    @classmethod
    def of(cls, rows: Vocab, frame: pl.DataFrame) -> Self:
        """
        Build the features of `rows` from a frame whose first column is the id.

        Every other column is a feature: a string, or a list of strings where a row may have several values.
        """
        id_column, *columns = frame.columns
        all_rows = pl.DataFrame({id_column: rows.ids()})
        asked = all_rows.join(frame.unique(id_column, keep="any"), on=id_column, how="left", maintain_order="left")
        pairs = pl.concat([_values(asked[column]) for column in columns] or [_values(pl.Series("", [], pl.String))])
        names = Vocab.of(pairs["name"], kind=FEATURE_KIND)
        ones = np.ones(len(pairs), np.float32)
        at = (pairs["row"].to_numpy(), names.find(pairs["name"]))
        return cls(sp.csr_matrix((ones, at), shape=(len(rows), len(names))), names)

    def beside(self, other: Self) -> Self:
        """Return these features and further ones of the same rows, whose names are others."""
        names = pl.concat([self.names.ids(), other.names.ids()])
        vocab = Vocab.of(names, kind=FEATURE_KIND)
        both = sp.hstack([self.matrix, other.matrix], format="csc")
        return type(self)(both[:, np.argsort(vocab.rows(names))].tocsr().astype(np.float32), vocab)

    @classmethod
    def weighted(cls, rows: Vocab, frame: pl.DataFrame) -> Self:
        """
        Build the features of `rows` from a frame with one row a value: the id, then name ('column=value') and weight.

        A row that the frame does not name has no features: here nobody says which columns there are, so that none can
        be unknown. A value named twice has the sum of its weights; ids outside `rows` are left out.
        """
        row = rows.find(frame.to_series())
        known = frame.select("name", "weight").filter(pl.Series(row >= 0, dtype=pl.Boolean))
        names = Vocab.of(known["name"], kind=FEATURE_KIND)
        weights = known["weight"].cast(pl.Float32).to_numpy()
        at = (row[row >= 0], names.find(known["name"]))
        return cls(sp.csr_matrix((weights, at), shape=(len(rows), len(names))), names)


def _values(column: pl.Series) -> pl.DataFrame:
    """Return row and name ('column=value') of each value in a column of strings or lists of strings."""
    frame = pl.DataFrame({"value": column}).with_row_index("row")
    long = frame.explode("value", empty_as_null=True, keep_nulls=True) if isinstance(column.dtype, pl.List) else frame
    value = pl.col("value").cast(pl.String).fill_null(UNKNOWN)
    return long.select("row", (pl.lit(f"{column.name}=") + value).alias("name")).unique(maintain_order=True)
