"""
What the methods of an opened home return beside plain tables, each with a picture for notebooks.

The pictures are HTML and SVG without scripts; every text in them is escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class RankedRows:
    """
    A list of tracks or artists, best first.

    Attributes:
        title: What is listed.
        rows: rank (from 1), names and ids of what is listed, and more columns by kind of list.
        measure: The column that the picture draws as bars, if there is one.
        notes: What to know about the list, a sentence each.
    """

    title: str
    rows: "pl.DataFrame"
    measure: str = ""
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.rows.height

    def _repr_html_(self) -> str:
        """Return a table, with a bar for each value of the measure."""
        from recsys.api.pictures import ranked_rows

        return ranked_rows(self)


@dataclass(frozen=True, eq=False)
class TableDescription:
    """
    A table of the warehouse.

    Attributes:
        name: Name with schema.
        description: What it contains.
        grain: What one row is.
        n_rows: Number of rows.
        columns: name, type, unit and meaning of each column.
    """

    name: str
    description: str
    grain: str
    n_rows: int
    columns: "pl.DataFrame"

    def _repr_html_(self) -> str:
        """Return the description, and a table of the columns."""
        from recsys.api.pictures import table_description

        return table_description(self)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """
    Quality of recommenders on days after those that they learned from.

    Attributes:
        metrics: recommender, metric, k, value, low, high (95 % interval over listeners; null where there is none),
            n_users.
    """

    metrics: "pl.DataFrame"

    def _repr_html_(self) -> str:
        """Return a plot of nDCG with 95 % intervals, and a table of all metrics."""
        from recsys.api.pictures import evaluation

        return evaluation(self)


@dataclass(frozen=True)
class Training:
    """
    Recommenders that were fitted on the training window.

    Attributes:
        run_id: The run that they belong to.
        recommenders: Their names.
        n_listeners: Number of listeners in the training window.
        n_tracks: Number of tracks of the catalogue.
        n_pairs: Number of pairs of a listener and a track that they like.
    """

    run_id: str
    recommenders: tuple[str, ...]
    n_listeners: int
    n_tracks: int
    n_pairs: int

    def _repr_html_(self) -> str:
        """Return the numbers as a table."""
        from recsys.api.pictures import training

        return training(self)


@dataclass(frozen=True, eq=False)
class Matches:
    """
    Recordings that were found in audio files.

    Attributes:
        rows: One row per use and track: file, starts_s, ends_s [s], track_id, title, artist_name, transformation,
            probability (0..1) and more, as in the report of `recsys match`.
        lengths_s: Length of each searched file [s], by printable path; 0 for one that could not be decoded.
        failures: Why files could not be decoded, by printable path.
    """

    rows: "pl.DataFrame"
    lengths_s: Mapping[str, float]
    failures: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.rows.height

    def _repr_html_(self) -> str:
        """Return a time line of each file with the recordings found in it, and a table of them."""
        from recsys.api.pictures import matches

        return matches(self)
