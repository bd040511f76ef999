"""
What listeners did with tracks, as one frozen value: a sparse matrix, two vocabularies and the features of both sides.

`Interactions.read` takes a window of days from the warehouse by one group-by. How much a listen, a like or a skip
counts is decided in SQL only.
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
    What some listeners liked, and when: all that a model needs to know of a listener.

    Attributes:
        matrix: Strength > 0 of each pair. CSR with sorted indices, shape (n_users, n_tracks), float32.
        age_days: Days since a pair's last play, >= 0, aligned with `matrix.data`, float32; 0 where nothing is known.
        hours: Local hour of the week of that play, 0 (Monday, midnight) to 167; -1 where nothing is known. int16.
    """

    matrix: Csr
    age_days: F32
    hours: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, users: Any) -> Self:
        """Return the history of some listeners: a slice, rows, or a boolean array."""
        return self._at(self._places()[users])

    def moved(self, rows: Rows, new_columns: Rows, n_columns: int) -> Self:
        """Pick rows and move columns as `realign` does."""
        return self._at(realign(self._places(), rows, new_columns, n_columns))

    def _at(self, places: Csr) -> Self:
        return type(self)(
            with_data(places, self.matrix.data[places.data]), self.age_days[places.data], self.hours[places.data]
        )

    def _places(self) -> Csr:
        """Return the same pattern with the place of each pair in `data` instead of its strength."""
        return with_data(self.matrix, np.arange(self.matrix.nnz))


@dataclass(frozen=True, eq=False)
class Interactions:
    """
    What listeners did with tracks in a window of days.

    Attributes:
        matrix: Strength > 0 of each pair. CSR with sorted indices, shape (n_users, n_tracks), float32.
        age_days: Days from a pair's last listen or event to the midnight that ends the window, >= 0, aligned with
            `matrix.data`, float32.
        hours: Local hour of the week of that last one, 0 (Monday, midnight) to 167; -1 where unknown. Aligned, int16.
        seen: True for every pair with any listen or event in the window, skips and unlikes included. CSR, bool.
        users: Listeners with any row in the window.
        tracks: The whole catalogue, also what nobody played.
        track_features: Features of each track.
        user_features: Features of each listener.
        as_of: The window's last day.
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
        Build from a frame with one row a pair.

        Args:
            pairs: user_id, track_id, strength (a pair at or below 0 is only seen) and, where known, age_days [d] and
                hour_of_week (0..167, local time).
            catalogue: track_id and feature columns (see `Features.of`); without it, the tracks of `pairs`.
            listeners: user_id and feature columns; may name more listeners than `pairs`, which are left out.
            as_of: The window's last day.

        Raises:
            InputError: A pair stands twice, or an id is missing.
            UnknownIds: A pair's track is not in the catalogue.
        """
        catalogue = pairs.select(pl.col("track_id").unique()) if catalogue is None else catalogue
        listeners = pairs.select(pl.col("user_id").unique()) if listeners is None else listeners
        users = Vocab.of(pairs["user_id"], kind="listener")
        tracks = Vocab.of(catalogue["track_id"], kind="track")
        placed = _placed(pairs, users, tracks)
        liked = placed.filter(pl.col("strength") > 0)
        return cls(
            matrix=_csr(liked, liked["strength"].to_numpy(), users, tracks),
            age_days=liked["age_days"].to_numpy().copy(),
            hours=liked["hour_of_week"].to_numpy().copy(),
            seen=_csr(placed, np.ones(len(placed), np.bool_), users, tracks),
            users=users,
            tracks=tracks,
            track_features=Features.of(tracks, catalogue.select("track_id", pl.exclude("track_id"))),
            user_features=Features.of(users, listeners.select("user_id", pl.exclude("user_id"))),
            as_of=as_of,
        )

    @classmethod
    def read(cls, warehouse: "Warehouse", *, until: date, since: date | None = None) -> Self:
        """Read the days since..until, both included, from marts.interactions_daily; no `since`: from the first day."""
        interactions = cls.of(
            warehouse.query(internal_sql("listened_pairs"), {"since": since or date.min, "until": until}),
            catalogue=warehouse.query(internal_sql("features_of_tracks")),
            listeners=warehouse.query(internal_sql("features_of_listeners")),
            as_of=until,
        )
        sound = Features.weighted(interactions.tracks, sound_features(warehouse.query(internal_sql("sound_of_tracks"))))
        return replace(interactions, track_features=interactions.track_features.beside(sound))

    @property
    def liked(self) -> History:
        """What the listeners liked, without their names."""
        return History(self.matrix, self.age_days, self.hours)

    def of_users(self, rows: Rows) -> Self:
        """Return the same window for some listeners only; `rows` is sorted and unique."""
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
        """What these listeners liked, in another catalogue's columns; empty where a listener is unknown."""
        return self.liked.moved(self.users.find(user_ids), tracks.find(self.tracks.ids()), len(tracks))


def _placed(pairs: pl.DataFrame, users: Vocab, tracks: Vocab) -> pl.DataFrame:
    """Translate ids to rows, sorted by user and track."""
    placed = pl.DataFrame(
        {
            "user": users.rows(pairs["user_id"]),
            "track": tracks.rows(pairs["track_id"]),
            "strength": pairs["strength"].cast(pl.Float32),
            "age_days": _given(pairs, "age_days", 0).cast(pl.Float32),
            "hour_of_week": _given(pairs, "hour_of_week", UNKNOWN_HOUR).cast(pl.Int16),
        }
    ).sort("user", "track")
    if n_twice := len(placed) - placed.select("user", "track").n_unique():
        raise InputError(f"{n_twice:,} rows repeat a listener and track; expected one row a pair: sum them first")
    return placed


def _given(pairs: pl.DataFrame, column: str, unknown: int) -> pl.Series:
    """Return a column that may be missing, whole or in places."""
    there = column in pairs.columns
    return pairs[column].fill_null(unknown) if there else pl.repeat(unknown, len(pairs), eager=True)


def _csr(placed: pl.DataFrame, data: npt.NDArray[Any], users: Vocab, tracks: Vocab) -> Csr:
    """Build the matrix without a second sort: the rows of `placed` are in order."""
    counts = np.bincount(placed["user"].to_numpy(), minlength=len(users))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    return sp.csr_matrix((data.copy(), placed["track"].to_numpy().astype(np.int32), indptr), (len(users), len(tracks)))
