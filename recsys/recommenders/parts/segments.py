"""
Cold-start fallback: popularity within a demographic segment, for listeners without a positive interaction.

A listener gets the finest of their segments that has at least `MIN_SEGMENT` training listeners: country and age band,
else country, else age band, else everybody. Unknown values form no segment. Gender is left out on purpose: such lists
would reflect gender stereotypes and pass every imbalance in the data on to new listeners.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.features import UNKNOWN, Features
from recsys.dataset.interactions import Interactions
from recsys.dataset.sparse import with_data
from recsys.dataset.vocab import Vocab
from recsys.errors import InputError

LEVELS = (("country", "age_band"), ("country",), ("age_band",))  # finest first
PROFILE = ("country", "age_band")
MIN_SEGMENT = 20  # listeners
PRIOR_LISTENERS = 100.0  # weight of everybody's popularity in that of a segment, in listeners
EVERYBODY = "everybody"


@dataclass(frozen=True, eq=False)
class Segments:
    """
    Popularity of each track among all listeners and within each segment (see `popularity`).

    The popularity within a segment is smoothed, as if `PRIOR_LISTENERS` average listeners were added to it: the smaller
    a segment, the closer it is to everybody's popularity.

    Attributes:
        names: Names of the segments, such as 'country=DE, age_band=25-34'.
        counts: Popularity within each segment, before smoothing. CSR, shape (n_segments, n_tracks), float32.
        everybody: Popularity among all listeners. Shape (n_tracks,), float32.
        n_listeners: Number of all listeners.
    """

    names: Vocab
    counts: Csr
    everybody: F32
    n_listeners: int

    @classmethod
    def of(cls, interactions: Interactions, half_life_days: float) -> Self:
        """Compute popularity from a window in which every listener has a positive interaction."""
        labels = profiles_of(interactions.user_features).select(_labels()).with_row_index("user")
        members = labels.unpivot(index="user", value_name="segment").drop_nulls("segment")
        members = members.filter(pl.len().over("segment") >= MIN_SEGMENT)
        names = Vocab.of(members["segment"], kind="segment")
        positions = names.rows(members["segment"]), members["user"].to_numpy()
        is_member = sp.csr_matrix((np.ones(len(members)), positions), shape=(len(names), len(interactions.users)))
        weights = with_data(interactions.matrix, _decay_weights(interactions, half_life_days))
        counts = (is_member @ weights).astype(np.float32)
        return cls(names, counts, popularity(interactions, half_life_days), len(interactions.users))

    def find(self, user_ids: pl.Series, profiles: pl.DataFrame | None) -> Rows:
        """
        Find the segment of each listener.

        Args:
            user_ids: Listeners, in any order.
            profiles: user_id, country, age_band ('unknown' or null if not known). Listeners may be missing.

        Returns:
            Rows of `counts`, -1 for everybody. Shape (n_users,), int64.

        Raises:
            InputError: `profiles` lacks a column or repeats a listener.
        """
        if profiles is None:
            return np.full(len(user_ids), -1)
        if missing := {"user_id", *PROFILE} - set(profiles.columns):
            raise InputError(
                f"profiles: found no column {', '.join(sorted(missing))}, expected user_id, {', '.join(PROFILE)}; add "
                f"them, with {UNKNOWN!r} where the value is not known"
            )
        known = pl.DataFrame({"user_id": user_ids}).join(
            profiles.select("user_id", *PROFILE), on="user_id", how="left", maintain_order="left"
        )
        if len(known) > len(user_ids):
            raise InputError(
                "profiles: found a listener in several rows, expected one row per listener; drop repeated rows"
            )
        row = np.full(len(user_ids), -1)
        for labels in reversed(known.select(_labels()).get_columns()):
            segment = self.names.find(labels)
            row = np.where(segment >= 0, segment, row)
        return row

    def names_of(self, rows: Rows) -> pl.Series:
        """Return the name of each segment, given by row of `counts`; 'everybody' for -1."""
        return pl.concat([self.names.ids(), pl.Series([EVERYBODY])]).gather(rows % (len(self.names) + 1))

    def score(self, rows: Rows, out: F32) -> None:
        """Write the smoothed popularity within these segments (-1: everybody) into `out`. Shape (n_rows, n_tracks)."""
        out[:] = self.everybody
        specific = rows >= 0
        out[specific] = self.counts[rows[specific]].toarray() + self.everybody * (
            PRIOR_LISTENERS / max(1, self.n_listeners)
        )

    def save(self, folder: Path) -> None:
        """Write names and popularities to two files in an existing folder."""
        self.names.save(folder / "segments.parquet")
        np.savez(
            folder / "fallback.npz",
            data=self.counts.data,
            indices=self.counts.indices,
            indptr=self.counts.indptr,
            everybody=self.everybody,
            n_listeners=self.n_listeners,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load what `save` wrote."""
        names = Vocab.load(folder / "segments.parquet")
        with np.load(folder / "fallback.npz", allow_pickle=False) as saved:
            everybody = saved["everybody"]
            parts = (saved["data"], saved["indices"], saved["indptr"])
            counts = sp.csr_matrix(parts, shape=(len(names), len(everybody)))
            return cls(names, counts, everybody, int(saved["n_listeners"]))


def popularity(interactions: Interactions, half_life_days: float) -> F32:
    """
    Return the time-decayed popularity of each track: its listeners, each weighted by 0.5**(age / half-life).

    The age of a listener is the time since they last played the track.

    Returns:
        Shape (n_tracks,), float32; 0 where no listener likes the track.
    """
    weights = _decay_weights(interactions, half_life_days)
    return np.bincount(interactions.matrix.indices, weights, minlength=len(interactions.tracks)).astype(np.float32)


def _decay_weights(interactions: Interactions, half_life_days: float) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = 0.5 ** (interactions.age_days.astype(np.float64) / half_life_days)
    return weights


def profiles_of(features: Features) -> pl.DataFrame:
    """Extract the columns of `PROFILE` from user features. Null if there is none, the first of several values."""
    entries = features.matrix.tocoo()
    named = pl.DataFrame({"row": entries.row.astype(np.int64), "name": features.names.ids(entries.col)})
    name = pl.col("name")
    values = named.group_by("row").agg(
        name.filter(name.str.starts_with(f"{column}=")).min().str.strip_prefix(f"{column}=").alias(column)
        for column in PROFILE
    )
    rows = pl.DataFrame({"row": np.arange(features.matrix.shape[0])})
    return rows.join(values, on="row", how="left", maintain_order="left").drop("row")


def _labels() -> list[pl.Expr]:
    """Return expressions for a row's segment at each level, finest first; null if one of its values is unknown."""
    known = {column: pl.when(pl.col(column) != UNKNOWN).then(pl.format(f"{column}={{}}", column)) for column in PROFILE}
    labels = [pl.concat_str([known[column] for column in level], separator=", ") for level in LEVELS]
    return [label.alias(f"level_{n}") for n, label in enumerate(labels)]
