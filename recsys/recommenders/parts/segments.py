"""
Cold-start fallback: popularity within a demographic segment, for listeners without a liked track.

A listener's segment is the finest one they belong to that has `MIN_SEGMENT` training listeners: country and age band,
else country, else age band, else everybody; an unknown value makes no segment. Gender is left out on purpose: such a
list would reflect stereotypes of a gender, and pass every imbalance of the logs on to new listeners.
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

LADDER = (("country", "age_band"), ("country",), ("age_band",))  # finest first
PROFILE = ("country", "age_band")
MIN_SEGMENT = 20  # listeners
PRIOR = 100.0  # listeners
EVERYBODY = "everybody"


@dataclass(frozen=True, eq=False)
class Segments:
    """
    Popularity of each track, among everybody and in each segment.

    A segment's popularity (see `popularity`) is smoothed with that of `PRIOR` average listeners: the fewer its own
    listeners, the nearer it is to everybody's popularity.

    Attributes:
        names: Of the segments, such as 'country=DE, age_band=25-34'.
        counts: Popularity within each segment, not smoothed. CSR, shape (n_segments, n_tracks), float32.
        everybody: Popularity among all listeners, shape (n_tracks,), float32.
        n_listeners: How many listeners that is.
    """

    names: Vocab
    counts: Csr
    everybody: F32
    n_listeners: int

    @classmethod
    def of(cls, interactions: Interactions, half_life_days: float) -> Self:
        """Count the liked tracks of a window whose listeners all like something."""
        labels = profiles_of(interactions.user_features).select(_labels()).with_row_index("user")
        members = labels.unpivot(index="user", value_name="segment").drop_nulls("segment")
        members = members.filter(pl.len().over("segment") >= MIN_SEGMENT)
        names = Vocab.of(members["segment"], kind="segment")
        at = (names.rows(members["segment"]), members["user"].to_numpy())
        member = sp.csr_matrix((np.ones(len(members)), at), shape=(len(names), len(interactions.users)))
        counts = (member @ with_data(interactions.matrix, _decayed(interactions, half_life_days))).astype(np.float32)
        return cls(names, counts, popularity(interactions, half_life_days), len(interactions.users))

    def find(self, user_ids: pl.Series, profiles: pl.DataFrame | None) -> Rows:
        """
        Row of each listener's segment, shape (n_users,), int64; -1 for everybody.

        Args:
            user_ids: Listeners, in any order.
            profiles: user_id, country and age_band ('unknown' or null where not known); may lack some listeners.

        Raises:
            InputError: A column is missing, or a listener stands in `profiles` twice.
        """
        if profiles is None:
            return np.full(len(user_ids), -1)
        if missing := {"user_id", *PROFILE} - set(profiles.columns):
            raise InputError(
                f"the profiles have no {', '.join(sorted(missing))}; expected user_id, {', '.join(PROFILE)}: add "
                f"what is missing, as {UNKNOWN!r} where nobody knows it"
            )
        known = pl.DataFrame({"user_id": user_ids}).join(
            profiles.select("user_id", *PROFILE), on="user_id", how="left", maintain_order="left"
        )
        if len(known) > len(user_ids):
            raise InputError("the profiles name a listener twice; expected each once: drop the repeated rows")
        row = np.full(len(user_ids), -1)
        for labels in reversed(known.select(_labels()).get_columns()):
            found = self.names.find(labels)
            row = np.where(found >= 0, found, row)
        return row

    def named(self, rows: Rows) -> pl.Series:
        """Name of each segment, -1 being everybody."""
        return pl.concat([self.names.ids(), pl.Series([EVERYBODY])]).gather(rows % (len(self.names) + 1))

    def score(self, rows: Rows, out: F32) -> None:
        """Write the popularity in these segments into `out`, shape (n_rows, n_tracks)."""
        out[:] = self.everybody
        specific = rows >= 0
        out[specific] = self.counts[rows[specific]].toarray() + self.everybody * (PRIOR / max(1, self.n_listeners))

    def save(self, folder: Path) -> None:
        """Write names and counts."""
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
        """Read what `save` wrote."""
        names = Vocab.load(folder / "segments.parquet")
        with np.load(folder / "fallback.npz", allow_pickle=False) as saved:
            everybody = saved["everybody"]
            parts = (saved["data"], saved["indices"], saved["indptr"])
            counts = sp.csr_matrix(parts, shape=(len(names), len(everybody)))
            return cls(names, counts, everybody, int(saved["n_listeners"]))


def popularity(interactions: Interactions, half_life_days: float) -> F32:
    """
    Return the listeners of each track, each counted half as much for every half-life since they last played it.

    Shape (n_tracks,), float32; 0 where nobody liked the track.
    """
    weights = _decayed(interactions, half_life_days)
    return np.bincount(interactions.matrix.indices, weights, minlength=len(interactions.tracks)).astype(np.float32)


def _decayed(interactions: Interactions, half_life_days: float) -> npt.NDArray[np.float64]:
    weights: npt.NDArray[np.float64] = 0.5 ** (interactions.age_days.astype(np.float64) / half_life_days)
    return weights


def profiles_of(features: Features) -> pl.DataFrame:
    """Return the columns of `PROFILE` for each row; null where no feature says, the first by name where several do."""
    given = features.matrix.tocoo()
    named = pl.DataFrame({"row": given.row.astype(np.int64), "name": features.names.ids(given.col)})
    name = pl.col("name")
    values = named.group_by("row").agg(
        name.filter(name.str.starts_with(f"{column}=")).min().str.strip_prefix(f"{column}=").alias(column)
        for column in PROFILE
    )
    rows = pl.DataFrame({"row": np.arange(features.matrix.shape[0])})
    return rows.join(values, on="row", how="left", maintain_order="left").drop("row")


def _labels() -> list[pl.Expr]:
    """The segment of each row on each step of the ladder, finest first; null where it needs what is unknown."""
    known = {column: pl.when(pl.col(column) != UNKNOWN).then(pl.format(f"{column}={{}}", column)) for column in PROFILE}
    steps = [pl.concat_str([known[column] for column in step], separator=", ") for step in LADDER]
    return [label.alias(f"step_{n}") for n, label in enumerate(steps)]
