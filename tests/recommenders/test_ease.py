"""The linear item-item model: its closed form, features as evidence, its sense of time, and catalogues too large."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys.arrays import F32
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.recommenders import ease
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASE, EASEConfig, ease_weights, invert, symmetrize
from recsys.recommenders.parts.filters import Filters

LIKES = np.array(
    # Seven listeners, five tracks.
    [
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 1, 1],
        [1, 0, 0, 1, 1],
        [1, 1, 0, 0, 1],
    ],
    np.float64,
)
# Everybody plays both tracks of one artist; nobody has played the new ones.
BY_ARTIST = pl.DataFrame(
    [{"user_id": f"{artist}{n}", "track_id": f"{artist}{m}", "strength": 1.0}
     for artist in "xy" for n in range(3) for m in range(2)]
)  # fmt: skip
CATALOGUE = pl.DataFrame(
    {"track_id": ["x0", "x1", "y0", "y1", "new_x", "new_y"], "artist": ["x", "x", "y", "y", "x", "y"]}
)


def interactions_of(likes: np.ndarray) -> Interactions:
    """Listeners u0, u1 ... and tracks t0, t1 ... of a dense matrix."""
    user, track = np.nonzero(likes)
    return Interactions.of(
        pl.DataFrame({"user_id": [f"u{n}" for n in user], "track_id": [f"t{n}" for n in track], "strength": 1.0})
    )


def test_ease_weights_are_the_closed_form() -> None:
    """Off the diagonal -P[i, j] / P[j, j], with P the inverse; on it 0."""
    gram = LIKES.T @ LIKES + 0.5 * np.eye(5)
    inverse = np.linalg.inv(gram)
    expected = -inverse / inverse.diagonal()
    np.fill_diagonal(expected, 0)

    found = ease_weights(gram.astype(np.float32))

    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert not found.diagonal().any()


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 9, 13])
def test_an_inverse_half_by_half_is_the_inverse(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below, at and above what LAPACK gets at once, whatever stands above the diagonal; the same bits each time."""
    monkeypatch.setattr(ease, "N_LAPACK", 4)
    monkeypatch.setattr(ease, "N_BLOCK", 3)
    rows = np.random.default_rng(size).standard_normal((2 * size, size))
    gram = rows.T @ rows + np.eye(size)
    found, again = (np.tril(gram).astype(np.float32) for _ in range(2))

    invert(found)
    invert(again)

    np.testing.assert_allclose(found, np.linalg.inv(gram), atol=1e-5)
    np.testing.assert_array_equal(found, again)


def test_lapack_gets_no_matrix_too_large_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On two threads it crashes on large ones, which no test should wait for."""
    monkeypatch.setattr(ease, "N_LAPACK", 4)
    sizes, at_once = [], ease._invert_by_lapack

    def spied(matrix: F32) -> None:
        sizes.append(len(matrix))
        at_once(matrix)

    monkeypatch.setattr(ease, "_invert_by_lapack", spied)

    ease_weights(np.eye(13, dtype=np.float32) + 0.1)

    assert max(sizes) <= 4
    assert sum(sizes) == 13


def test_a_singular_matrix_is_refused_in_whatever_half_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tracks with the same listeners, in halves of their own."""
    monkeypatch.setattr(ease, "N_LAPACK", 4)
    gram = np.eye(6, dtype=np.float32)
    gram[5, 0] = gram[0, 5] = 1

    with pytest.raises(InputError, match="6 tracks cannot be inverted; increase the setting regularization of ease"):
        ease_weights(gram)


def test_each_column_is_a_ridge_regression() -> None:
    """Column j is what least squares with the same pull gives for track j from all others."""
    found = ease_weights((LIKES.T @ LIKES + 0.5 * np.eye(5)).astype(np.float32))

    for track in range(5):
        others = np.delete(LIKES, track, axis=1)
        alone = np.linalg.solve(others.T @ others + 0.5 * np.eye(4), others.T @ LIKES[:, track])
        np.testing.assert_allclose(np.delete(found[:, track], track), alone, atol=1e-4)


@pytest.mark.parametrize("regularization", [1e-12, -50.0])
def test_a_singular_matrix_names_the_remedy(regularization: float) -> None:
    """Two tracks with the same listeners cannot be told apart without a pull towards zero."""
    twins = interactions_of(np.ones((4, 2)))
    config = EASEConfig(regularization=regularization, dropout=0.0, side_weight=0.0)

    with pytest.raises(InputError, match="2 tracks cannot be inverted; increase the setting regularization of ease"):
        EASE(config).fit(twins)


def test_features_speak_for_what_nobody_has_played() -> None:
    """A new track of the artist whom a listener likes stands before a new track of another."""
    interactions = Interactions.of(BY_ARTIST, catalogue=CATALOGUE)
    asked = interactions.users.ids()

    ranking = (
        Recommender(EASE(EASEConfig(regularization=1.0)))
        .fit(interactions)
        .recommend(asked, 4, filters=Filters.of(interactions))
    )

    new = ranking.filter(pl.col("track_id").str.starts_with("new")).group_by("user_id").agg(pl.col("track_id").first())
    assert dict(new.iter_rows()) == {user: f"new_{user[0]}" for user in asked}


def test_without_features_the_new_are_alike() -> None:
    """A side weight of 0 leaves what nobody has played at 0."""
    interactions = Interactions.of(BY_ARTIST, catalogue=CATALOGUE)
    config = EASEConfig(regularization=1.0, side_weight=0.0)

    ranking = (
        Recommender(EASE(config))
        .fit(interactions)
        .recommend(interactions.users.ids(), 4, filters=Filters.of(interactions))
    )

    assert ranking.filter(pl.col("track_id").str.starts_with("new"))["score"].to_list() == [0.0] * 12


@pytest.mark.parametrize(("recency", "first"), [(1.0, ["x1", "y1"]), (0.0, ["x1", "x1"])])
def test_what_was_liked_lately_speaks_louder(recency: float, first: list[str]) -> None:
    """Of two histories that differ in age alone, each gets more of what it liked last; unless age weighs nothing."""
    interactions = Interactions.of(BY_ARTIST)
    plays = pl.DataFrame(
        {
            "user_id": ["lately_x", "lately_x", "lately_y", "lately_y"],
            "track_id": ["x0", "y0", "x0", "y0"],
            "strength": 1.0,
            "age_days": [1.0, 300.0, 300.0, 1.0],
        }
    )
    config = EASEConfig(regularization=1.0, recency=recency)

    folded = Recommender(EASE(config)).fit(interactions).fold_in(plays, 1, filters=Filters.of(interactions))

    assert folded["track_id"].to_list() == first


class TestMoreTracksThanAreModelled:
    """Five tracks, of which the three most liked are modelled: t0 and t1 with four listeners, t2 with three at first.

    t3 and t4 have three as well: of equal ones the first in the catalogue is taken.
    """

    CONFIG = EASEConfig(regularization=1.0, max_tracks=3)

    def test_warns(self, caplog: pytest.LogCaptureFixture) -> None:
        """The log says how many of how many."""
        EASE(self.CONFIG).fit(interactions_of(LIKES))

        assert "ease models the 3 most liked of 5 tracks; all others score 0" in caplog.text

    def test_says_nothing_where_all_are(self, caplog: pytest.LogCaptureFixture) -> None:
        """A catalogue of just the size is modelled whole."""
        EASE(EASEConfig(max_tracks=5)).fit(interactions_of(LIKES))

        assert not caplog.records

    def test_the_others_score_zero(self) -> None:
        """Who likes a modelled track gets the modelled ones first, the others with 0 behind."""
        interactions = interactions_of(LIKES)

        ranking = (
            Recommender(EASE(self.CONFIG))
            .fit(interactions)
            .recommend(["u0"], 5, filters=Filters.of(interactions, hide_seen=False))
        )

        assert sorted(ranking["track_id"][:3]) == ["t0", "t1", "t2"]
        assert ranking.filter(pl.col("track_id").is_in(["t3", "t4"]))["score"].to_list() == [0.0, 0.0]

    def test_the_modelled_are_as_if_alone(self) -> None:
        """Scores of the modelled tracks are those of a catalogue without the others."""
        asked = ["u0", "u1", "u2"]  # who like nothing else
        whole, alone = interactions_of(LIKES), interactions_of(LIKES[:, :3])
        config = replace(self.CONFIG, listener_exponent=0.0)  # its mean is over all that a listener likes

        few = Recommender(EASE(config)).fit(whole)
        own = Recommender(EASE(replace(config, max_tracks=5))).fit(alone)

        pair = pl.col("user_id"), pl.col("track_id")
        found = few.recommend(asked, 5, filters=Filters.of(whole, hide_seen=False)).sort(pair)
        expected = own.recommend(asked, 3, filters=Filters.of(alone, hide_seen=False)).sort(pair)
        modelled = found.filter(pl.col("track_id") < "t3")
        assert_frame_equal(modelled.drop("rank"), expected.drop("rank"), abs_tol=1e-5)

    def test_save_and_load_keep_which_they_are(self, tmp_path: Path) -> None:
        """A loaded model answers and explains as the saved one, unmodelled tracks included."""
        interactions = interactions_of(LIKES)
        model = Recommender(EASE(self.CONFIG)).fit(interactions)
        model.save(tmp_path)
        loaded = Recommender.load(tmp_path)

        asked, filters = interactions.users.ids(), Filters.of(interactions, hide_seen=False)
        saved, read = (each.recommend(asked, 5, filters=filters) for each in (model, loaded))
        assert_frame_equal(
            loaded.add_reasons(read, interactions), model.add_reasons(saved, interactions), check_exact=True
        )


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 9])
def test_symmetrize_fills_the_upper_triangle(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below, at and above the size of a block, the upper triangle becomes the lower one's; the lower one stays."""
    monkeypatch.setattr(ease, "N_BLOCK", 4)
    lower = np.random.default_rng(size).random((size, size), np.float32)
    kept = np.tril(lower)

    symmetrize(lower)

    np.testing.assert_array_equal(lower, kept + np.tril(kept, -1).T)
