"""Sound features: similar recordings share clusters; few or mixed vectors; missing measurements."""

import numpy as np
import polars as pl
import pytest

from recsys.dataset.cluster_features import N_NEAREST
from recsys.dataset.features import Features
from recsys.dataset.sound_features import MAX_WEIGHT, MEASUREMENT_COLUMNS, MIN_VECTORS, sound_features
from recsys.dataset.vocab import Vocab


def sounds_of(vectors: np.ndarray, encoder: str = "v1") -> pl.DataFrame:
    """Input for tracks t0, t1, ... with these vectors; all measurements are the same."""
    ids = [f"t{n}" for n in range(len(vectors))]
    frame = pl.DataFrame({"track_id": ids, "encoder": encoder, "vector": vectors.tolist()})
    return frame.with_columns(pl.lit(1.0).alias(name) for name in MEASUREMENT_COLUMNS)


@pytest.fixture
def two_kinds() -> np.ndarray:
    """Vectors of forty tracks, alternating between two kinds of sound. Shape (40, 8)."""
    rng = np.random.default_rng(7)
    kinds = rng.standard_normal((2, 8))
    return kinds[np.arange(40) % 2] + 0.2 * rng.standard_normal((40, 8))


def test_similar_recordings_share_features(two_kinds: np.ndarray) -> None:
    """The mean inner product within a kind is more than three times that between the kinds."""
    features = sound_features(sounds_of(two_kinds))
    tracks = Vocab.of(pl.Series([f"t{n}" for n in range(40)]), kind="track")
    matrix = Features.weighted(tracks, features).matrix.toarray()

    products = matrix @ matrix.T
    kinds = np.array([int(name[1:]) % 2 for name in tracks.ids()])
    is_same_kind = kinds[:, None] == kinds
    assert products[is_same_kind].mean() > 3 * products[~is_same_kind].mean()


def test_a_track_has_at_most_six_positive_weights(two_kinds: np.ndarray) -> None:
    """The largest weight of each track is MAX_WEIGHT."""
    features = sound_features(sounds_of(two_kinds))

    by_track = features.group_by("track_id").agg(pl.col("weight").max(), pl.len())
    assert by_track["weight"].to_numpy() == pytest.approx(MAX_WEIGHT)
    assert (by_track["len"] <= N_NEAREST).all()
    assert (features["weight"] > 0).all()


def test_the_same_vectors_give_the_same_features(two_kinds: np.ndarray) -> None:
    """Clustering is reproducible, including the numbers of the clusters."""
    assert sound_features(sounds_of(two_kinds)).equals(sound_features(sounds_of(two_kinds)))


def test_too_few_vectors_give_no_features(two_kinds: np.ndarray) -> None:
    """Below the minimum number of vectors of the most frequent encoder, the result is empty."""
    mixed = pl.concat(
        [sounds_of(two_kinds), sounds_of(two_kinds[:5], "v0").with_columns(track_id="u" + pl.col("track_id"))]
    )

    assert sound_features(sounds_of(two_kinds[: MIN_VECTORS - 1])).is_empty()
    assert not sound_features(mixed)["track_id"].str.starts_with("u").any()


def test_missing_measurements_are_allowed(two_kinds: np.ndarray) -> None:
    """A track without tempo still has features, with finite weights."""
    unknown = sounds_of(two_kinds).with_columns(tempo=pl.when(pl.col("track_id") == "t3").then(None).otherwise("tempo"))

    assert "t3" in set(sound_features(unknown)["track_id"])
    assert sound_features(unknown)["weight"].is_finite().all()


def test_features_are_concatenated_by_name() -> None:
    """The result has the columns of both, sorted by name."""
    tracks = Vocab.of(pl.Series(["a", "b"]), kind="track")
    metadata = Features.of(tracks, pl.DataFrame({"track_id": ["a", "b"], "genre": ["rock", "pop"]}))
    sounds = Features.weighted(tracks, pl.DataFrame({"track_id": ["b"], "name": ["aloud=1"], "weight": [5.0]}))

    both = metadata.concat(sounds)

    columns = dict(zip(both.names.ids(), both.matrix.toarray().T.tolist(), strict=True))
    assert columns == {"genre=rock": [1, 0], "genre=pop": [0, 1], "aloud=1": [0, 5]}
