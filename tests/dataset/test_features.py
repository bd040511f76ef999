"""Features: how many rows are described."""

import polars as pl

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
