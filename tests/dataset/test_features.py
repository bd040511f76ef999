"""Features: how many rows are described."""

import numpy as np
import polars as pl
import pytest

from recsys.dataset.feature_vectors import tfidf_features
from recsys.dataset.features import Features
from recsys.dataset.vocab import Vocab


def test_unknown_values_describe_nothing() -> None:
    """A row counts if one of its values is known; null, an empty list and a missing id are unknown."""
    tracks = Vocab.of(["a", "b", "c", "d"], kind="track")
    known = {"track_id": ["a", "b", "c"], "genre": [["pop", "rock"], [], None], "decade": ["1990", "1990", None]}

    features = Features.of(tracks, pl.DataFrame(known))

    assert features.n_described() == 2


def test_no_features_describe_nothing() -> None:
    """Without a feature column, or weighted features of other tracks only, no row is described."""
    tracks = Vocab.of(["a", "b"], kind="track")
    elsewhere = pl.DataFrame({"track_id": ["z"], "name": ["tag=slow"], "weight": [1.0]})

    assert Features.of(tracks, pl.DataFrame({"track_id": ["a", "b"]})).n_described() == 0
    assert Features.weighted(tracks, elsewhere).n_described() == 0


def test_unknown_values_do_not_make_a_row_rich() -> None:
    """Norms follow the number of known values: two of one row, one of the other, 1.5 on average."""
    tracks = Vocab.of(["a", "b", "c"], kind="track")
    known = pl.DataFrame({"track_id": ["a", "b"], "genre": ["pop", "rock"], "decade": ["1990", None]})

    vectors = tfidf_features(Features.of(tracks, known), size_exponent=1)

    assert np.sqrt(vectors.multiply(vectors).sum(axis=1)).ravel().tolist()[0] == pytest.approx([2 / 1.5, 1 / 1.5, 0])
