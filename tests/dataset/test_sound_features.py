"""Sound as features: tracks that sound alike share them, and nothing of what is denied gets in."""

import numpy as np
import polars as pl
import pytest

from recsys.dataset.features import Features
from recsys.dataset.sound_features import MAX_WEIGHT, MEASURED, MIN_VECTORS, N_NEAREST, sound_features
from recsys.dataset.vocab import Vocab


def heard(vectors: np.ndarray, encoder: str = "v1") -> pl.DataFrame:
    """What is heard in tracks t0, t1 ...; tempo, onsets and so on are the same for all."""
    ids = [f"t{n}" for n in range(len(vectors))]
    frame = pl.DataFrame({"track_id": ids, "encoder": encoder, "vector": vectors.tolist()})
    return frame.with_columns(pl.lit(1.0).alias(name) for name in MEASURED)


@pytest.fixture
def two_kinds() -> np.ndarray:
    """Forty tracks of two sounds by turns, shape (40, 8)."""
    rng = np.random.default_rng(7)
    kinds = rng.standard_normal((2, 8))
    return kinds[np.arange(40) % 2] + 0.2 * rng.standard_normal((40, 8))


def test_tracks_that_sound_alike_share_features(two_kinds: np.ndarray) -> None:
    """The nearest of another kind is always of the same."""
    described = sound_features(heard(two_kinds))
    tracks = Vocab.of(pl.Series([f"t{n}" for n in range(40)]), kind="track")
    matrix = Features.weighted(tracks, described).matrix.toarray()

    likeness = matrix @ matrix.T
    kinds = np.array([int(name[1:]) % 2 for name in tracks.ids()])
    same = kinds[:, None] == kinds
    assert likeness[same].mean() > 3 * likeness[~same].mean()


def test_a_track_has_a_few_weights_the_first_of_which_is_the_largest(two_kinds: np.ndarray) -> None:
    """At most six, none negative."""
    described = sound_features(heard(two_kinds))

    by_track = described.group_by("track_id").agg(pl.col("weight").max(), pl.len())
    assert by_track["weight"].to_numpy() == pytest.approx(MAX_WEIGHT)
    assert (by_track["len"] <= N_NEAREST).all()
    assert (described["weight"] > 0).all()


def test_the_same_sounds_give_the_same_features(two_kinds: np.ndarray) -> None:
    """Night after night."""
    assert sound_features(heard(two_kinds)).equals(sound_features(heard(two_kinds)))


def test_few_sounds_are_none(two_kinds: np.ndarray) -> None:
    """And vectors of an encoder that made fewer are left out."""
    mixed = pl.concat([heard(two_kinds), heard(two_kinds[:5], "v0").with_columns(track_id="u" + pl.col("track_id"))])

    assert sound_features(heard(two_kinds[: MIN_VECTORS - 1])).is_empty()
    assert not sound_features(mixed)["track_id"].str.starts_with("u").any()


def test_what_was_not_measured_is_in_the_middle(two_kinds: np.ndarray) -> None:
    """A track without tempo is described by its vector."""
    unknown = heard(two_kinds).with_columns(tempo=pl.when(pl.col("track_id") == "t3").then(None).otherwise("tempo"))

    assert "t3" in set(sound_features(unknown)["track_id"])
    assert sound_features(unknown)["weight"].is_finite().all()


def test_features_of_two_kinds_stand_beside_each_other() -> None:
    """Columns are found by their names."""
    tracks = Vocab.of(pl.Series(["a", "b"]), kind="track")
    words = Features.of(tracks, pl.DataFrame({"track_id": ["a", "b"], "genre": ["rock", "pop"]}))
    sounds = Features.weighted(tracks, pl.DataFrame({"track_id": ["b"], "name": ["aloud=1"], "weight": [5.0]}))

    both = words.concat(sounds)

    columns = dict(zip(both.names.ids(), both.matrix.toarray().T.tolist(), strict=True))
    assert columns == {"genre=rock": [1, 0], "genre=pop": [0, 1], "aloud=1": [0, 5]}
