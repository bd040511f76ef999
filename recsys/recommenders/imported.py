"""
Lists of another recommender, as `recsys lists import` has stored them: a contender that is evaluated like a model.

Lists are made outside, from listening up to a day that whoever imports them states. A fit to a window takes the lists
that were made up to the last day of this window, and raises if there are none: lists that know later days would be
evaluated on what they have seen. What lists do not name is ranked by popularity, below them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp
from typing_extensions import override

from recsys.arrays import F32, Csr, Rows
from recsys.dataset.interactions import History, Interactions
from recsys.errors import SetupError
from recsys.recommenders.parts.segments import popularity
from recsys.recommenders.parts.sparse import arrays_of, matrix_of
from recsys.recommenders.scorer import Scorer, Validation
from recsys.settings import Positive, Settings


@dataclass(frozen=True)
class ImportedConfig(Settings):
    """
    Settings of `Imported`.

    Attributes:
        lists: Folder of the lists, as `recsys lists import` prints it.
        half_life_days: Half-life [d], > 0, of popularity (see `popular`), by which all other tracks are ranked.
    """

    lists: str = ""
    half_life_days: Positive = 30.0


class Imported(Scorer[ImportedConfig]):
    """
    Score of a listed track: above 1, falling with its rank in the list. Of others: popularity, 0..1, for every user.

    A listener who is folded in has no list.
    """

    name: ClassVar[str] = "imported"
    config_class: ClassVar[type[Any]] = ImportedConfig

    @override
    def fit(self, interactions: Interactions, validation: Validation | None = None) -> Self:
        self._lists = _matrix(read_lists(Path(self.config.lists), interactions.as_of), interactions)
        scores = popularity(interactions, self.config.half_life_days)
        self._popularity = scores / np.float32(max(float(scores.max(initial=0)), 1))
        return self

    @override
    def states(self, rows: Rows) -> Csr:
        return self._lists[rows]

    @override
    def fold_in(self, history: History) -> Csr:
        return sp.csr_matrix(history.matrix.shape, dtype=np.float32)

    @override
    def keep_users(self, rows: Rows) -> None:
        self._lists = self._lists[rows]

    @override
    def score(self, states: Csr, out: F32) -> None:
        out[:] = self._popularity
        listed = states.tocoo()
        out[listed.row, listed.col] = 1 + listed.data

    @override
    def arrays(self) -> dict[str, Any]:
        return {"popularity": self._popularity, **arrays_of("lists", self._lists)}

    @override
    def restore(self, arrays: Mapping[str, Any]) -> None:
        self._popularity, self._lists = arrays["popularity"], matrix_of("lists", arrays)


def file_of_lists(folder: Path, until: date) -> Path:
    """Return the file of the lists that were made from listening up to a day."""
    return folder / f"{until}.parquet"


def read_lists(folder: Path, until: date) -> pl.DataFrame:
    """Read user_id, track_id, rank of the lists made up to a day; raises SetupError if there are none."""
    path = file_of_lists(folder, until)
    if not path.is_file():
        days = ", ".join(sorted(file.stem for file in folder.glob("*.parquet"))) if folder.name else ""
        raise SetupError(
            f"[recommenders.imported] lists: found lists made from listening up to {days or 'no day'} in "
            f"{str(folder) if folder.name else 'no folder'}, expected {until}. Make lists from what was heard up to "
            f"that day, and import them: recsys lists import FILE --name NAME --until {until}"
        )
    return pl.read_parquet(path)


def _matrix(lists: pl.DataFrame, interactions: Interactions) -> Csr:
    """Return (length + 1 - rank) / length of each listed pair with known ids, in (0, 1]. CSR, float32."""
    length = pl.col("rank").max().over("user_id")
    relevance = lists.select(((length + 1 - pl.col("rank")) / length).cast(pl.Float32)).to_series().to_numpy()
    users, tracks = interactions.users.find(lists["user_id"]), interactions.tracks.find(lists["track_id"])
    is_known = (users >= 0) & (tracks >= 0)
    shape = len(interactions.users), len(interactions.tracks)
    return sp.csr_matrix((relevance[is_known], (users[is_known], tracks[is_known])), shape)
