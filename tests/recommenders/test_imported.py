"""Lists of another recommender, fitted like a model."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.errors import SetupError
from recsys.recommenders.base import Recommender
from recsys.recommenders.imported import ImportedConfig
from recsys.recommenders.parts.filters import Filters

UNTIL = date(2026, 6, 16)
PAIRS = pl.DataFrame(  # everybody plays a; two play b; c, d and e are in the catalogue only
    [("ann", "a"), ("bob", "a"), ("cleo", "a"), ("bob", "b"), ("cleo", "b")], ["user_id", "track_id"], orient="row"
).with_columns(strength=1.0)
CATALOGUE = pl.DataFrame({"track_id": ["a", "b", "c", "d", "e"]})


def fitted(folder: Path, lists: dict[str, str]) -> Recommender[Any]:
    """Fit lists, given as tracks in their order, by listener, to the three listeners."""
    rows = [(user, track, rank) for user, tracks in lists.items() for rank, track in enumerate(tracks, start=1)]
    pl.DataFrame(rows, ["user_id", "track_id", "rank"], orient="row").write_parquet(folder / f"{UNTIL}.parquet")
    model = Recommender.named("imported", ImportedConfig(lists=str(folder)))
    return model.fit(Interactions.of(PAIRS, catalogue=CATALOGUE, as_of=UNTIL))


def test_lists_come_first_then_popularity(tmp_path: Path) -> None:
    """A known track is left out, an unknown one too; a listener without a list, and one folded in, get popularity."""
    model = fitted(tmp_path, {"ann": "edax", "nobody": "c"})
    filters = Filters.of(Interactions.of(PAIRS, catalogue=CATALOGUE, as_of=UNTIL))

    lists = model.recommend(["ann", "bob"], 4, filters=filters)
    folded = model.recommend_by_history(PAIRS.filter(user_id="ann"), 4, filters=filters)

    assert lists.filter(user_id="ann")["track_id"].to_list() == ["e", "d", "b", "c"]
    assert lists.filter(user_id="bob")["track_id"].to_list() == ["c", "d", "e"]
    assert folded["track_id"].to_list() == ["b", "c", "d", "e"]
    np.testing.assert_allclose(lists.filter(user_id="ann")["score"][:2], [1 + 4 / 4, 1 + 3 / 4])
    assert lists.filter(user_id="ann")["score"][2] <= 1


def test_lists_that_know_later_days_are_not_taken(tmp_path: Path) -> None:
    """A fit to an earlier window refuses them, names the day that it needs, and the command that imports others."""
    fitted(tmp_path, {"ann": "b"})
    earlier = Interactions.of(PAIRS, as_of=date(2026, 6, 2))

    with pytest.raises(SetupError, match=r"up to 2026-06-16 in .*, expected 2026-06-02.*--until 2026-06-02"):
        Recommender.named("imported", ImportedConfig(lists=str(tmp_path))).fit(earlier)
    with pytest.raises(SetupError, match="up to no day in no folder, expected 2026-06-02"):
        Recommender.named("imported").fit(earlier)
