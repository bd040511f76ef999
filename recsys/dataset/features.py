"""Features of tracks and listeners: a sparse matrix with one named column per feature value, such as 'genre=rock'."""

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
    Features of tracks or listeners, one column per feature value. A missing value is stored as the value 'unknown'.

    Attributes:
        matrix: 1 if the row has the feature value, or its weight (see `weighted`); 0 if not. CSR, shape (n_rows,
            n_features), float32.
        names: Names of the columns, 'column=value', for example 'genre=rock'.
    """

    matrix: Csr
    names: Vocab

    @classmethod
    def of(cls, rows: Vocab, frame: pl.DataFrame) -> Self:
        """
        Build features from a table with one column per feature.

        Args:
            rows: Tracks or listeners in the rows of the result.
            frame: First column: id. Each other column is a feature: a string, or a list of strings if a row may have
                several values. Nulls, empty lists and ids that are not in the frame become 'unknown'.
        """
        id_column, *columns = frame.columns
        all_rows = pl.DataFrame({id_column: rows.ids()})
        aligned = all_rows.join(frame.unique(id_column, keep="any"), on=id_column, how="left", maintain_order="left")
        pairs = pl.concat([_values(aligned[column]) for column in columns] or [_values(pl.Series("", [], pl.String))])
        names = Vocab.of(pairs["name"], kind=FEATURE_KIND)
        ones = np.ones(len(pairs), np.float32)
        positions = pairs["row"].to_numpy(), names.find(pairs["name"])
        return cls(sp.csr_matrix((ones, positions), shape=(len(rows), len(names))), names)

    def n_described(self) -> int:
        """Return the number of rows with a feature value that is not 'unknown'."""
        is_unknown = self.names.ids().str.ends_with(f"={UNKNOWN}").to_numpy()
        return int((np.diff(self.matrix[:, ~is_unknown].indptr) > 0).sum())

    def columns(self) -> pl.Series:
        """Return the column of each feature, such as `genre` of `genre=jazz`."""
        return self.names.ids().str.split("=").list.first()

    def n_rows_with(self, *columns: str) -> int:
        """Return the number of rows with a value of any of these columns."""
        is_of_columns = self.columns().is_in(columns).to_numpy()
        return int((np.diff(self.matrix[:, is_of_columns].indptr) > 0).sum())

    def concat(self, other: Self) -> Self:
        """Return the columns of both, which must have the same rows and no column name in common."""
        names = pl.concat([self.names.ids(), other.names.ids()])
        vocab = Vocab.of(names, kind=FEATURE_KIND)
        both = sp.hstack([self.matrix, other.matrix], format="csc")
        return type(self)(both[:, np.argsort(vocab.rows(names))].tocsr().astype(np.float32), vocab)

    @classmethod
    def weighted(cls, rows: Vocab, frame: pl.DataFrame) -> Self:
        """
        Build weighted features from a table with one row per id and feature value.

        Args:
            rows: Tracks or listeners in the rows of the result.
            frame: First column: id; then name ('column=value') and weight. Weights of a repeated id and name are
                summed; ids that are not in `rows` are ignored. Ids that are not in the frame get no features, not even
                'unknown'.
        """
        row = rows.find(frame.to_series())
        known = frame.select("name", "weight").filter(pl.Series(row >= 0, dtype=pl.Boolean))
        names = Vocab.of(known["name"], kind=FEATURE_KIND)
        weights = known["weight"].cast(pl.Float32).to_numpy()
        positions = row[row >= 0], names.find(known["name"])
        return cls(sp.csr_matrix((weights, positions), shape=(len(rows), len(names))), names)


def _values(column: pl.Series) -> pl.DataFrame:
    """Return row and name ('column=value') of each value in a column of strings or lists of strings."""
    frame = pl.DataFrame({"value": column}).with_row_index("row")
    long = frame.explode("value", empty_as_null=True, keep_nulls=True) if isinstance(column.dtype, pl.List) else frame
    value = pl.col("value").cast(pl.String).fill_null(UNKNOWN)
    return long.select("row", (pl.lit(f"{column.name}=") + value).alias("name")).unique(maintain_order=True)
