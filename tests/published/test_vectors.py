"""Exported vectors: another program computes the model's scores with them, and finds nothing of listeners in them."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from recsys import files
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.home import Home
from recsys.published import vectors
from recsys.published.explain import published_model
from recsys.recommenders.als import ALSConfig
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import BlendConfig
from recsys.recommenders.parts.filters import Filters
from recsys.releases import registry
from recsys.releases.release import Release

RNG = np.random.default_rng(3)
PAIRS = pl.DataFrame(
    {"user_id": f"listener{user:02}", "track_id": f"t{track:02}", "strength": 1.0}
    for user in range(20)
    for track in RNG.choice(30, 6, replace=False)
)


def published(folder: Path, model: Recommender[Any]) -> Home:
    """Publish a model in a new home."""
    home, warehouse, marts = Home(folder / "home"), folder / "w.duckdb", folder / "marts"
    warehouse.touch()
    marts.mkdir()
    model.fit(Interactions.of(PAIRS)).save(folder / "model")
    files.write_json(folder / "model" / "provenance.json", {"run_id": "r1", "as_of": "2026-06-30"})
    registry.publish(home, "r1", Release(warehouse, marts, model=folder / "model"))
    return home


@pytest.fixture(scope="module")
def als(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Publish ALS."""
    return published(tmp_path_factory.mktemp("als"), Recommender.named("als", ALSConfig(factors=4, epochs=3)))


def test_exported_vectors_give_the_lists_of_the_model(als: Home, tmp_path: Path) -> None:
    """Inner products of rows, best first and without what is known, are the model's list of each listener."""
    vectors.write_vectors(vectors.vectors(als, "als"), tmp_path / "to", with_listeners=True)
    interactions = Interactions.of(PAIRS)

    tensors = load_file(tmp_path / "to" / "vectors.safetensors")
    tracks, listeners = (pl.read_parquet(tmp_path / "to" / f"{name}.parquet") for name in ("tracks", "listeners"))

    np.testing.assert_array_equal(tensors["tracks"], np.stack(tracks["vector"].to_list()))
    np.testing.assert_array_equal(tensors["listeners"], np.stack(listeners["vector"].to_list()))
    lists = published_model(als).recommend(interactions.users.ids(), 5, filters=Filters.of(interactions))
    for row, user_id in enumerate(listeners["user_id"]):
        scores = dict(zip(tracks["track_id"], tensors["tracks"] @ tensors["listeners"][row], strict=True))
        known = PAIRS.filter(user_id=user_id)["track_id"]
        new = sorted((name for name in scores if name not in {*known}), key=lambda name: -scores[name])
        assert new[:5] == lists.filter(user_id=user_id)["track_id"].to_list()


def test_nothing_of_listeners_is_exported_unasked(als: Home, tmp_path: Path) -> None:
    """No file contains an id of a listener, and there are no vectors of them; the card says so and names the cut."""
    vectors.write_vectors(vectors.vectors(als, "als"), tmp_path / "to")

    assert {path.name for path in (tmp_path / "to").iterdir()} == {"vectors.safetensors", "tracks.parquet", "card.md"}
    assert not any(b"listener0" in path.read_bytes() for path in (tmp_path / "to").iterdir())
    assert list(load_file(tmp_path / "to" / "vectors.safetensors")) == ["tracks"]
    card = (tmp_path / "to" / "card.md").read_text()
    assert "Vectors of listeners are not included" in card
    assert "- run: r1\n- trained on: listening up to 2026-06-30\n" in card
    assert "compare by: inner product" in card


def test_members_of_a_blend_have_their_own_vectors(tmp_path: Path) -> None:
    """Those with factors are listed, and the card says which model they are a part of; others are refused by name."""
    models = {"item_knn": {}, "als": {"factors": 4, "epochs": 2}}
    home = published(tmp_path, Recommender.named("blend", BlendConfig(models=models, epochs=1)))

    assert [one.name for one in vectors.available(home)] == ["als"]
    assert "as a member of blend" in vectors.vectors(home, "als").facts["trained on"]
    with pytest.raises(UnknownIds, match="no vector set 'item_knn'"):
        vectors.vectors(home, "item_knn")


def test_what_cannot_be_exported_is_refused(als: Home, tmp_path: Path) -> None:
    """An existing folder is kept; a model without factors has no vectors."""
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="expected a new folder"):
        vectors.write_vectors(vectors.vectors(als, "als"), tmp_path / "mine")
    with pytest.raises(SetupError, match="has no vectors"):
        vectors.vectors(published(tmp_path, Recommender.named("popular")), "als")
