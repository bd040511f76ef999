"""
Cold-start fallback: popularity within a demographic segment, for listeners without a positive interaction.

A listener gets the most specific segment with at least `MIN_SEGMENT` training listeners: country and age band, else
country, else age band, else everybody. Unknown values do not form a segment. Gender is not used on purpose: such lists
would reflect gender stereotypes and pass imbalances in the data on to new listeners.
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

LEVELS = (("country", "age_band"), ("country",), ("age_band",))  # most specific first
PROFILE = ("country", "age_band")
MIN_SEGMENT = 20  # minimum number of listeners in a segment
PRIOR_LISTENERS = 100.0  # weight of the global popularity in the smoothing of a segment, in listeners
EVERYBODY = "everybody"


@dataclass(frozen=True, eq=False)
class Segments:
    """
    Popularity of each track among all listeners and within each segment (see `popularity`).

    The popularity within a segment is smoothed as if the segment had `PRIOR_LISTENERS` more, average listeners: the
    smaller a segment, the closer its popularity is to the global popularity.

    Attributes:
        names: Names of the segments, such as 'country=DE, age_band=25-34'.
        popularity_by_segment: Popularity within each segment, before smoothing. CSR, shape (n_segments, n_tracks),
            float32.
        global_popularity: Popularity among all training listeners. Shape (n_tracks,), float32.
        n_listeners: Number of training listeners.
    """

    names: Vocab
    popularity_by_segment: Csr
    global_popularity: F32
    n_listeners: int

    @classmethod
    def of(cls, interactions: Interactions, half_life_days: float) -> Self:
        """Compute popularity from a training window. Every listener in it must have a positive interaction."""
        labels = profiles_of(interactions.user_features).select(_labels()).with_row_index("user")
        members = labels.unpivot(index="user", value_name="segment").drop_nulls("segment")
        members = members.filter(pl.len().over("segment") >= MIN_SEGMENT)
        names = Vocab.of(members["segment"], kind="segment")
        positions = names.rows(members["segment"]), members["user"].to_numpy()
        is_member = sp.csr_matrix((np.ones(len(members)), positions), shape=(len(names), len(interactions.users)))
        weights = with_data(interactions.matrix, _decay_weights(interactions, half_life_days))
        by_segment = (is_member @ weights).astype(np.float32)
        return cls(names, by_segment, popularity(interactions, half_life_days), len(interactions.users))

    def find(self, user_ids: pl.Series, profiles: pl.DataFrame | None) -> Rows:
        """
        Find the most specific segment of each listener.

        Args:
            user_ids: Listeners, in any order.
            profiles: user_id, country, age_band ('unknown' or null if not known). Listeners may be missing.

        Returns:
            Rows of `popularity_by_segment`; -1: everybody. Shape (n_users,), int64.

        Raises:
            InputError: `profiles` lacks a column or repeats a listener.
        """
        if profiles is None:
            return np.full(len(user_ids), -1)
        if missing := {"user_id", *PROFILE} - set(profiles.columns):
            raise InputError(
                f"profiles: found no column {', '.join(sorted(missing))}, expected user_id, {', '.join(PROFILE)}; add "
                f"them, with {UNKNOWN!r} for unknown values"
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
        """Return the name of each segment, given by row of `popularity_by_segment`; 'everybody' for -1."""
        return pl.concat([self.names.ids(), pl.Series([EVERYBODY])]).gather(rows % (len(self.names) + 1))

    def score(self, rows: Rows, out: F32) -> None:
        """Write the smoothed popularity in these segments (-1: everybody) to `out`, shape (n_rows, n_tracks)."""
        out[:] = self.global_popularity
        specific = rows >= 0
        out[specific] = self.popularity_by_segment[rows[specific]].toarray() + self.global_popularity * (
            PRIOR_LISTENERS / max(1, self.n_listeners)
        )

    def save(self, folder: Path) -> None:
        """Write segments.parquet and fallback.npz to an existing folder."""
        self.names.save(folder / "segments.parquet")
        np.savez(
            folder / "fallback.npz",
            data=self.popularity_by_segment.data,
            indices=self.popularity_by_segment.indices,
            indptr=self.popularity_by_segment.indptr,
            everybody=self.global_popularity,
            n_listeners=self.n_listeners,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load what `save` wrote."""
        names = Vocab.load(folder / "segments.parquet")
        with np.load(folder / "fallback.npz", allow_pickle=False) as saved:
            global_popularity = saved["everybody"]
            parts = (saved["data"], saved["indices"], saved["indptr"])
            by_segment = sp.csr_matrix(parts, shape=(len(names), len(global_popularity)))
            return cls(names, by_segment, global_popularity, int(saved["n_listeners"]))


def popularity(interactions: Interactions, half_life_days: float) -> F32:
    """
    Return the time-decayed popularity of each track: the sum of 0.5**(age / half-life) over its listeners.

    The age is the time since the listener last played the track.

    Returns:
        Shape (n_tracks,), float32; 0 if no listener likes the track.
    """
    weights = _decay_weights(interactions, half_life_days)
    return np.bincount(interactions.matrix.indices, weights, minlength=len(interactions.tracks)).astype(np.float32)


def _decay_weights(interactions: Interactions, half_life_days: float) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = 0.5 ** (interactions.age_days.astype(np.float64) / half_life_days)
    return weights


def profiles_of(features: Features) -> pl.DataFrame:
    """Return the columns of `PROFILE` of each listener: null if there is no value, the first of several values."""
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
    """Return expressions for a row's segment at each level, most specific first; null if a value is unknown."""
    known = {column: pl.when(pl.col(column) != UNKNOWN).then(pl.format(f"{column}={{}}", column)) for column in PROFILE}
    labels = [pl.concat_str([known[column] for column in level], separator=", ") for level in LEVELS]
    return [label.alias(f"level_{n}") for n, label in enumerate(labels)]
