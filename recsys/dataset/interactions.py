"""
Interactions of listeners with tracks: sparse matrices, two vocabularies, and features of tracks and listeners.

`Interactions.read` aggregates a window of days from the warehouse. The strength of an interaction (how much a listen, a
like or a skip counts) is computed in SQL only. Every recommender is fitted to an `Interactions`.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.features import Features
from recsys.dataset.lyric_features import lyric_features
from recsys.dataset.sound_features import sound_features
from recsys.dataset.sparse import realign, with_data
from recsys.dataset.vocab import Ids, Vocab
from recsys.errors import InputError
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse


UNKNOWN_HOUR = -1


@dataclass(frozen=True, eq=False)
class History:
    """
    Histories of some listeners: their positive interactions. This is all that a scorer needs to fold in a listener.

    Attributes:
        matrix: Strength > 0 of each pair. CSR with sorted indices, shape (n_users, n_tracks), float32.
        age_days: Days since the last play of each pair, >= 0; 0 if unknown. Aligned with `matrix.data`, float32.
        hours: Local hour of the week of that play, 0 (Monday, midnight) to 167; -1 if unknown. Aligned with
            `matrix.data`, int16.
    """

    matrix: Csr
    age_days: F32
    hours: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, users: Any) -> Self:
        """Return the histories of a subset of the listeners, given by a slice, rows, or a boolean array."""
        return self._at_positions(self._positions()[users])

    def realigned(self, rows: Rows, new_columns: Rows, n_columns: int) -> Self:
        """Return the histories with selected rows and renumbered columns (see `dataset.sparse.realign`)."""
        return self._at_positions(realign(self._positions(), rows, new_columns, n_columns))

    def _at_positions(self, positions: Csr) -> Self:
        """Return the histories with this sparsity pattern; the values of `positions` index `matrix.data`."""
        strengths = with_data(positions, self.matrix.data[positions.data])
        return type(self)(strengths, self.age_days[positions.data], self.hours[positions.data])

    def _positions(self) -> Csr:
        """Return a matrix with the sparsity pattern of `matrix`, whose values are indices into `matrix.data`."""
        return with_data(self.matrix, np.arange(self.matrix.nnz))


@dataclass(frozen=True, eq=False)
class Interactions:
    """
    Interactions of listeners with tracks in a window of days.

    Attributes:
        matrix: Strength of each pair with strength > 0. CSR with sorted indices, shape (n_users, n_tracks), float32.
        age_days: Days from the last listen or event of each pair to the midnight that ends the window, >= 0. Aligned
            with `matrix.data`, float32.
        hours: Local hour of the week of that listen or event, 0 (Monday, midnight) to 167; -1 if unknown. Aligned with
            `matrix.data`, int16.
        seen: True for every pair with at least one listen or event in the window, including skips and unlikes. CSR,
            bool.
        users: Listeners with at least one pair in `seen`.
        tracks: The whole catalogue, including tracks that nobody played.
        track_features: Features of the tracks.
        user_features: Features of the listeners.
        as_of: Last day of the window.
    """

    matrix: Csr
    age_days: F32
    hours: npt.NDArray[np.int16]
    seen: Csr
    users: Vocab
    tracks: Vocab
    track_features: Features
    user_features: Features
    as_of: date

    @classmethod
    def of(
        cls,
        pairs: pl.DataFrame,
        *,
        catalogue: pl.DataFrame | None = None,
        listeners: pl.DataFrame | None = None,
        as_of: date = date.max,
    ) -> Self:
        """
        Build from a table with one row per pair of listener and track.

        Args:
            pairs: user_id, track_id, strength (if <= 0, the pair is in `seen` only), and optionally age_days [d] and
                hour_of_week (0..167, local time), which may contain nulls.
            catalogue: track_id and feature columns (see `Features.of`). None: the tracks in `pairs`, no features.
            listeners: user_id and feature columns; listeners who are not in `pairs` are ignored. None: no features.
            as_of: Last day of the window.

        Raises:
            InputError: A pair occurs twice, or an id is missing.
            UnknownIds: A track is not in the catalogue.
        """
        catalogue = pairs.select(pl.col("track_id").unique()) if catalogue is None else catalogue
        listeners = pairs.select(pl.col("user_id").unique()) if listeners is None else listeners
        users = Vocab.of(pairs["user_id"], kind="listener")
        tracks = Vocab.of(catalogue["track_id"], kind="track")
        seen = _with_rows(pairs, users, tracks)
        liked = seen.filter(pl.col("strength") > 0)
        return cls(
            matrix=_csr(liked, liked["strength"].to_numpy(), users, tracks),
            age_days=liked["age_days"].to_numpy().copy(),
            hours=liked["hour_of_week"].to_numpy().copy(),
            seen=_csr(seen, np.ones(len(seen), np.bool_), users, tracks),
            users=users,
            tracks=tracks,
            track_features=Features.of(tracks, catalogue.select("track_id", pl.exclude("track_id"))),
            user_features=Features.of(users, listeners.select("user_id", pl.exclude("user_id"))),
            as_of=as_of,
        )

    @classmethod
    def read(cls, warehouse: "Warehouse", *, until: date, since: date | None = None) -> Self:
        """Read marts.interactions_daily from `since` (None: the first day) to `until`, both inclusive."""
        interactions = cls.of(
            warehouse.query(internal_sql("listened_pairs"), {"since": since or date.min, "until": until}),
            catalogue=warehouse.query(internal_sql("features_of_tracks")),
            listeners=warehouse.query(internal_sql("features_of_listeners")),
            as_of=until,
        )
        sound = sound_features(warehouse.query(internal_sql("sound_of_tracks")))
        words = lyric_features(warehouse.query(internal_sql("words_of_tracks")))
        measured = Features.weighted(interactions.tracks, pl.concat([sound, words]))
        return replace(interactions, track_features=interactions.track_features.concat(measured))

    @property
    def liked(self) -> History:
        """Histories of all listeners: their positive interactions."""
        return History(self.matrix, self.age_days, self.hours)

    def of_users(self, rows: Rows) -> Self:
        """Return the interactions of some listeners only, given by sorted, unique rows."""
        liked = self.liked[rows]
        return type(self)(
            matrix=liked.matrix,
            age_days=liked.age_days,
            hours=liked.hours,
            seen=self.seen[rows],
            users=Vocab.of(self.users.ids(rows), kind=self.users.kind),
            tracks=self.tracks,
            track_features=self.track_features,
            user_features=Features(self.user_features.matrix[rows], self.user_features.names),
            as_of=self.as_of,
        )

    def history(self, user_ids: Ids, tracks: Vocab) -> History:
        """Return histories with the columns of another catalogue, `tracks`. Unknown listeners get an empty history."""
        return self.liked.realigned(self.users.find(user_ids), tracks.find(self.tracks.ids()), len(tracks))


def _with_rows(pairs: pl.DataFrame, users: Vocab, tracks: Vocab) -> pl.DataFrame:
    """Translate ids to row numbers, sort by user and track, and fill missing columns with defaults."""
    numbered = pl.DataFrame(
        {
            "user": users.rows(pairs["user_id"]),
            "track": tracks.rows(pairs["track_id"]),
            "strength": pairs["strength"].cast(pl.Float32),
            "age_days": _column_or(pairs, "age_days", 0).cast(pl.Float32),
            "hour_of_week": _column_or(pairs, "hour_of_week", UNKNOWN_HOUR).cast(pl.Int16),
        }
    ).sort("user", "track")
    if n_repeated := len(numbered) - numbered.select("user", "track").n_unique():
        expected = "expected one per listener and track; aggregate them first"
        raise InputError(f"pairs: found {n_repeated:,} duplicate rows, {expected}")
    return numbered


def _column_or(pairs: pl.DataFrame, column: str, default: int) -> pl.Series:
    """Return a column with nulls replaced by the default; if the column is missing, the default in every row."""
    if column not in pairs.columns:
        return pl.repeat(default, len(pairs), eager=True)
    return pairs[column].fill_null(default)


def _csr(pairs: pl.DataFrame, data: npt.NDArray[Any], users: Vocab, tracks: Vocab) -> Csr:
    """Build a CSR matrix from pairs of rows that are sorted by user and track."""
    counts = np.bincount(pairs["user"].to_numpy(), minlength=len(users))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_matrix((data.copy(), pairs["track"].to_numpy().astype(np.int32), indptr), (len(users), len(tracks)))
