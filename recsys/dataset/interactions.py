"""
What listeners did with tracks, as one frozen value: a sparse matrix, two vocabularies and the features of both sides.

`Interactions.read` takes a window of days from the warehouse by one group-by; `split` cuts time once for everybody (a
global temporal split), with a gap between training and test. What a listen, like or skip weighs is decided in SQL only.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from recsys.arrays import F32, Bool, Csr, Rows
from recsys.dataset.sound_features import sound_features
from recsys.dataset.vocab import Ids, Vocab
from recsys.errors import InputError
from recsys.warehouse.internal import internal_sql

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse


FEATURE_KIND = "feature"
UNKNOWN = "unknown"

UNKNOWN_HOUR = -1


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


def with_data(pattern: Csr, data: npt.NDArray[Any]) -> Csr:
    """Return a CSR matrix of the same pattern with other values."""
    return sp.csr_matrix((data, pattern.indices, pattern.indptr), shape=pattern.shape)


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
            warehouse.frame(internal_sql("listened_pairs"), {"since": since or date.min, "until": until}),
            catalogue=warehouse.frame(internal_sql("features_of_tracks")),
            listeners=warehouse.frame(internal_sql("features_of_listeners")),
            as_of=until,
        )
        sound = Features.weighted(interactions.tracks, sound_features(warehouse.frame(internal_sql("sound_of_tracks"))))
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


def realign(matrix: Csr, rows: Rows, new_columns: Rows, n_columns: int) -> Csr:
    """Pick rows (-1: an empty one) and move column j to `new_columns[j]` (-1: drop it)."""
    known = np.flatnonzero(rows >= 0)
    picked = matrix[rows[known]].tocoo()
    keep = new_columns[picked.col] >= 0
    at = (known[picked.row[keep]], new_columns[picked.col[keep]])
    return sp.csr_matrix((picked.data[keep], at), shape=(len(rows), n_columns))


@dataclass(frozen=True, eq=False)
class Split:
    """
    One cut through time: what a model may learn from, and what its listeners discovered later.

    Attributes:
        train: The training window.
        test: Tracks played in the test window and never seen in `train` (or not `hidden`, see `of`). CSR in train's
            rows and tracks, bool.
        n_cold_users: Listeners who play in the test window but are not in `train`: counted, not evaluated.
        n_cold_tracks: Tracks played in the test window that nobody touched in `train`; they stay in `test`.
        n_repeats: Pairs of the test window that stand in `train` (are `hidden`) already: counted, not evaluated.
    """

    train: Interactions
    test: Csr
    n_cold_users: int
    n_cold_tracks: int
    n_repeats: int = 0

    @classmethod
    def of(cls, train: Interactions, played: pl.DataFrame, *, hidden: Csr | None = None) -> Self:
        """
        Build from a training window and a frame of the later plays: user_id, track_id.

        `hidden` are the pairs that no ranking may name again, so that they cannot be found either: train's seen ones,
        unless others are given, in train's rows and tracks.
        """
        user_rows = train.users.find(played["user_id"])
        track_rows = train.tracks.rows(played["track_id"])
        known = user_rows >= 0
        at = (user_rows[known], track_rows[known])
        heard = sp.csr_matrix((np.ones(known.sum(), np.bool_), at), shape=train.matrix.shape)
        touched = np.bincount(train.seen.indices, minlength=len(train.tracks)) > 0
        test = heard > (train.seen if hidden is None else hidden)
        return cls(
            train=train,
            test=test,
            n_cold_users=played.filter(pl.Series(~known, dtype=pl.Boolean))["user_id"].n_unique(),
            n_cold_tracks=len(np.unique(track_rows[~touched[track_rows]])),
            n_repeats=heard.nnz - test.nnz,
        )

    @classmethod
    def held_out(cls, interactions: Interactions, kept: Bool, held: Bool) -> Self:
        """Learn from the `kept` liked pairs, find the `held` ones; both aligned with `interactions.matrix.data`."""
        pairs, shape = interactions.matrix.tocoo(), interactions.matrix.shape
        ends = np.concatenate([[0], np.cumsum(np.bincount(pairs.row[kept], minlength=len(interactions.users)))])
        later = sp.csr_matrix((np.ones((~kept).sum(), np.bool_), (pairs.row[~kept], pairs.col[~kept])), shape)
        train = replace(
            interactions,
            matrix=sp.csr_matrix((pairs.data[kept], pairs.col[kept], ends), shape),
            age_days=interactions.age_days[kept],
            hours=interactions.hours[kept],
            seen=interactions.seen > later,
        )
        played = {
            "user_id": interactions.users.ids(pairs.row[held]),
            "track_id": interactions.tracks.ids(pairs.col[held]),
        }
        return cls.of(train, pl.DataFrame(played))

    @classmethod
    def latest(cls, interactions: Interactions, *, share: float = 0.2, seed: int) -> Self:
        """
        Hold out the latest `share` of each listener's liked pairs, one at least; of pairs of the same age, any.

        Listeners with a single pair are only learned from.
        """
        counts = np.diff(interactions.matrix.indptr)
        user = np.repeat(np.arange(len(counts)), counts)
        order = np.lexsort((np.random.default_rng(seed).random(len(user)), interactions.age_days, user))
        n_later = np.empty(len(order), np.int64)
        n_later[order] = np.arange(len(order)) - np.repeat(interactions.matrix.indptr[:-1], counts)
        n_held = np.where(counts > 1, np.ceil(counts * share), 0)
        held = n_later < n_held[user]
        return cls.held_out(interactions, ~held, held)


def split(warehouse: "Warehouse", *, as_of: date, test_days: int, gap_days: int, since: date | None = None) -> Split:
    """
    Cut time at one day for all listeners.

    The test window is [as_of - test_days + 1, as_of]. Training ends `gap_days` whole days before it starts, so that a
    model is judged on what it would really have known on the night that it served.
    """
    test_from = as_of - timedelta(days=test_days - 1)
    train = Interactions.read(warehouse, since=since, until=test_from - timedelta(days=gap_days + 1))
    return Split.of(train, warehouse.frame(internal_sql("played_pairs"), {"since": test_from, "until": as_of}))


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


def _values(column: pl.Series) -> pl.DataFrame:
    """Return row and name ('column=value') of each value in a column of strings or lists of strings."""
    frame = pl.DataFrame({"value": column}).with_row_index("row")
    long = frame.explode("value", empty_as_null=True, keep_nulls=True) if isinstance(column.dtype, pl.List) else frame
    value = pl.col("value").cast(pl.String).fill_null(UNKNOWN)
    return long.select("row", (pl.lit(f"{column.name}=") + value).alias("name")).unique(maintain_order=True)
