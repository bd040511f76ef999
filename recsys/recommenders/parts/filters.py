"""
Filters: exclude tracks from a listener's recommendations: played before, blocked, withdrawn, or not available.

`Filters` is built once per nightly run from two marts, and all recommenders use it. It is applied while the top k
tracks are selected, so a listener gets k tracks if at least k are allowed.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from recsys.arrays import Bool, Csr
from recsys.dataset.features import UNKNOWN
from recsys.dataset.interactions import Interactions
from recsys.dataset.sparse import entries, realign
from recsys.dataset.splits import Split
from recsys.dataset.vocab import Ids, Vocab
from recsys.recommenders.parts.topk import Mask


@dataclass(frozen=True, eq=False)
class Filters:
    """
    The excluded pairs of listener and track, and the tracks available in each country.

    Attributes:
        users: The listeners, in the row order of `hidden` and `group`.
        tracks: The catalogue of the model whose rankings are filtered.
        hidden: Excluded pairs. CSR, shape (n_users, n_tracks), bool.
        allowed: Tracks available to each group of listeners, one group per country. Shape (n_groups, n_tracks), bool.
            The last group is for listeners whose country is unknown or who are not in `users`.
        group: Group of each listener. Shape (n_users,), int64.
    """

    users: Vocab
    tracks: Vocab
    hidden: Csr
    allowed: npt.NDArray[np.bool_]
    group: npt.NDArray[np.int64]

    @classmethod
    def of(cls, interactions: Interactions, *, hide_seen: bool = True) -> Self:
        """Exclude only the pairs seen in a window, or nothing if `hide_seen` is False. For offline evaluation."""
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
    def for_split(cls, split: Split) -> Self:
        """Exclude only the pairs that a split hides, so that every held-out track may be recommended."""
        return replace(cls.of(split.train), hidden=split.hidden)

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
        Build the filters of a nightly run from the marts of listeners and tracks.

        Args:
            listeners: user_id, country. If it is 'unknown' or null, only tracks that are available everywhere are
                allowed.
            catalogue: track_id, available_in (list of countries; null or empty: everywhere), withdrawn_at (date).
            tracks: The model's catalogue. Tracks that are not in `catalogue` are never recommended.
            as_of: Tracks withdrawn on or before this day are never recommended.
            seen: Interactions whose `seen` pairs are excluded. None: no such exclusion.
            blocked: Further pairs to exclude: user_id, track_id.
        """
        pairs = _no_pairs() if blocked is None else blocked.select("user_id", "track_id")
        seen_users = pl.Series([], dtype=pl.String) if seen is None else seen.users.ids()
        users = Vocab.of(pl.concat([listeners["user_id"], seen_users, pairs["user_id"]]), kind="listener")
        hidden = pairs_matrix(pairs, users, tracks)
        if seen is not None:
            columns = tracks.find(seen.tracks.ids())
            hidden = hidden + realign(seen.seen, seen.users.find(users.ids()), columns, len(tracks))
        countries = listeners["country"].fill_null(UNKNOWN)
        groups = Vocab.of(countries.filter(countries != UNKNOWN), kind="country")
        group = np.full(len(users), len(groups))
        group[users.rows(listeners["user_id"])] = groups.find(countries) % (
            len(groups) + 1
        )  # -1, no country: the last group
        return cls(users, tracks, hidden, _allowed(catalogue, tracks, groups, as_of), group)

    @classmethod
    def public(cls, catalogue: pl.DataFrame, *, tracks: Vocab, as_of: date) -> Self:
        """Build filters for lists that belong to no listener: only tracks that are available everywhere are allowed."""
        nobody = pl.DataFrame(schema={"user_id": pl.String, "country": pl.String})
        return cls.for_listeners(nobody, catalogue, tracks=tracks, as_of=as_of)

    def restricted_to(self, track_ids: Ids) -> Self:
        """Return filters that also exclude all tracks except these. Unknown ids are ignored."""
        is_listed = np.zeros(len(self.tracks), np.bool_)
        rows = self.tracks.find(track_ids)
        is_listed[rows[rows >= 0]] = True
        return replace(self, allowed=self.allowed & is_listed)

    def allow(self, pairs: pl.DataFrame) -> Bool:
        """Return whether each pair of user_id and track_id is allowed; unknown tracks never are. Shape (n_pairs,)."""
        users = Vocab.of(pairs["user_id"], kind="listener")
        mask, rows = self.mask(users.ids()), (users.rows(pairs["user_id"]), self.tracks.find(pairs["track_id"]))
        is_hidden = entries(mask.hidden, rows).astype(np.bool_)
        is_allowed: Bool = (rows[1] >= 0) & mask.allowed[mask.group[rows[0]], rows[1]] & ~is_hidden
        return is_allowed

    def mask(self, user_ids: Ids) -> Mask:
        """Return the exclusion mask of these listeners. Unknown ones have no excluded pair and an unknown country."""
        rows = self.users.find(user_ids)
        group = np.where(rows < 0, len(self.allowed) - 1, self.group[rows] if len(self.users) else 0)
        return Mask(realign(self.hidden, rows, np.arange(len(self.tracks)), len(self.tracks)), self.allowed, group)


def pairs_matrix(pairs: pl.DataFrame, users: Vocab, tracks: Vocab) -> Csr:
    """Return a boolean CSR matrix, true at each pair of user_id and track_id. Unknown tracks are left out."""
    columns = tracks.find(pairs["track_id"])
    known = columns >= 0
    positions = users.rows(pairs["user_id"])[known], columns[known]
    return sp.csr_matrix((np.ones(known.sum(), np.bool_), positions), shape=(len(users), len(tracks)))


def _no_pairs() -> pl.DataFrame:
    return pl.DataFrame(schema={"user_id": pl.String, "track_id": pl.String})


def _allowed(catalogue: pl.DataFrame, tracks: Vocab, groups: Vocab, as_of: date) -> npt.NDArray[np.bool_]:
    """Return the tracks available per country. Shape (n_countries + 1, n_tracks); last row: unknown country."""
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
