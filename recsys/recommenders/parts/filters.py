"""
What must never be recommended: heard before, blocked, withdrawn, or not available in the listener's country.

`Filters` is made once per night from two marts and serves every recommender. It is applied inside the top-k kernel, so
a listener still gets k tracks wherever k are allowed.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from recsys.arrays import Csr
from recsys.dataset.features import UNKNOWN
from recsys.dataset.interactions import Interactions
from recsys.dataset.sparse import realign
from recsys.dataset.vocab import Ids, Vocab
from recsys.recommenders.parts.topk import Mask


@dataclass(frozen=True, eq=False)
class Filters:
    """
    Excluded pairs, and the tracks available in each country.

    Attributes:
        users: Listeners in the rows of `hidden` and `group`.
        tracks: The catalogue of the model that is to be filtered.
        hidden: Pairs never recommended. CSR, shape (n_users, n_tracks), bool.
        allowed: Tracks that a group may get. Shape (n_groups, n_tracks), bool; the last group is that of
            listeners whose country is unknown, and of listeners not in `users`.
        group: Group of each listener, shape (n_users,), int64.
    """

    users: Vocab
    tracks: Vocab
    hidden: Csr
    allowed: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]

    @classmethod
    def of(cls, interactions: Interactions, *, hide_seen: bool = True) -> Self:
        """Exclude the pairs seen in a window, and nothing else: for offline evaluation."""
        shape = interactions.seen.shape
        hidden = interactions.seen if hide_seen else sp.csr_matrix(shape, dtype=np.bool_)
        return cls(
            interactions.users,
            interactions.tracks,
            hidden,
            np.ones((1, shape[1]), np.bool_),
            np.zeros(shape[0], np.int64),
        )

    @classmethod
    def for_listeners(
        cls,
        listeners: pl.DataFrame,
        catalogue: pl.DataFrame,
        *,
        tracks: Vocab,
        as_of: date,
        seen: Interactions | None = None,
        blocked: pl.DataFrame | None = None,
    ) -> Self:
        """
        Build from the two marts.

        Args:
            listeners: user_id, country ('unknown' or null: only tracks without restriction).
            catalogue: track_id, available_in (list of countries; null or empty: everywhere), withdrawn_at.
            tracks: The model's catalogue. A track that `catalogue` no longer has is never recommended.
            as_of: A track withdrawn on or before this day is never recommended.
            seen: Hides each pair that this window saw.
            blocked: user_id, track_id: further pairs to hide.
        """
        pairs = _no_pairs() if blocked is None else blocked.select("user_id", "track_id")
        heard = pl.Series([], dtype=pl.String) if seen is None else seen.users.ids()
        users = Vocab.of(pl.concat([listeners["user_id"], heard, pairs["user_id"]]), kind="listener")
        hidden = pairs_matrix(pairs, users, tracks)
        if seen is not None:
            columns = tracks.find(seen.tracks.ids())
            hidden = hidden + realign(seen.seen, seen.users.find(users.ids()), columns, len(tracks))
        countries = listeners["country"].fill_null(UNKNOWN)
        groups = Vocab.of(countries.filter(countries != UNKNOWN), kind="country")
        group = np.full(len(users), len(groups))
        group[users.rows(listeners["user_id"])] = groups.find(countries) % (len(groups) + 1)  # -1: the last one
        return cls(users, tracks, hidden, _allowed(catalogue, tracks, groups, as_of), group)

    def only(self, track_ids: Ids) -> Self:
        """Allow nothing but these tracks, and of them what is allowed."""
        chosen = np.zeros(len(self.tracks), np.bool_)
        rows = self.tracks.find(track_ids)
        chosen[rows[rows >= 0]] = True
        return replace(self, allowed=self.allowed & chosen)

    def mask(self, user_ids: Ids) -> Mask:
        """Return the mask of these listeners, in their order; one not in `users` has nothing hidden and no country."""
        rows = self.users.find(user_ids)
        group = np.where(rows < 0, len(self.allowed) - 1, self.group[rows] if len(self.users) else 0)
        return Mask(realign(self.hidden, rows, np.arange(len(self.tracks)), len(self.tracks)), self.allowed, group)


def pairs_matrix(pairs: pl.DataFrame, users: Vocab, tracks: Vocab) -> Csr:
    """Return True at each pair of user_id and track_id; tracks outside the vocabulary are left out."""
    columns = tracks.find(pairs["track_id"])
    known = columns >= 0
    at = (users.rows(pairs["user_id"])[known], columns[known])
    return sp.csr_matrix((np.ones(known.sum(), np.bool_), at), shape=(len(users), len(tracks)))


def _no_pairs() -> pl.DataFrame:
    return pl.DataFrame(schema={"user_id": pl.String, "track_id": pl.String})


def _allowed(catalogue: pl.DataFrame, tracks: Vocab, groups: Vocab, as_of: date) -> npt.NDArray[np.bool_]:
    """Return which country may get which track, (n_countries + 1, n_tracks); the last row is the unknown country."""
    current = catalogue.with_columns(pl.Series("row", tracks.find(catalogue["track_id"]))).filter(
        pl.col("row") >= 0, pl.col("withdrawn_at").is_null() | (pl.col("withdrawn_at") > as_of)
    )
    restricted = pl.col("available_in").list.len().fill_null(0) > 0
    licensed = current.filter(restricted).select("row", "available_in").explode("available_in")
    country = groups.find(licensed["available_in"])
    allowed = np.zeros((len(groups) + 1, len(tracks)), np.bool_)
    allowed[:, current.filter(~restricted)["row"].to_numpy()] = True
    allowed[country[country >= 0], licensed["row"].to_numpy()[country >= 0]] = True
    return allowed
