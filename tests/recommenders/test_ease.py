"""EASE: the closed form, features as side information, recency, and catalogues larger than `max_tracks`."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recsys.arrays import F32
from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.recommenders import ease
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASE, EASEConfig, ease_weights, invert, symmetrize
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.sparse import matrix_of

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
# Each listener plays both tracks of one artist; nobody has played the new tracks.
BY_ARTIST = pl.DataFrame(
    [{"user_id": f"{artist}{n}", "track_id": f"{artist}{m}", "strength": 1.0}
     for artist in "xy" for n in range(3) for m in range(2)]
)  # fmt: skip
CATALOGUE = pl.DataFrame(
    {"track_id": ["x0", "x1", "y0", "y1", "new_x", "new_y"], "artist": ["x", "x", "y", "y", "x", "y"]}
)


def interactions_of(likes: np.ndarray, catalogue: pl.DataFrame | None = None) -> Interactions:
    """Interactions of a dense matrix: listeners u0, u1, ... and tracks t0, t1, ..."""
    user, track = np.nonzero(likes)
    return Interactions.of(
        pl.DataFrame({"user_id": [f"u{n}" for n in user], "track_id": [f"t{n}" for n in track], "strength": 1.0}),
        catalogue=catalogue,
    )


def test_ease_weights_follow_the_closed_form() -> None:
    """-P[i, j] / P[j, j] off the diagonal, where P is the inverse; 0 on the diagonal."""
    gram = LIKES.T @ LIKES + 0.5 * np.eye(5)
    inverse = np.linalg.inv(gram)
    expected = -inverse / inverse.diagonal()
    np.fill_diagonal(expected, 0)

    weights = ease_weights(gram.astype(np.float32))

    np.testing.assert_allclose(weights, expected, atol=1e-4)
    assert not weights.diagonal().any()


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 9, 13])
def test_the_recursive_inverse_is_the_inverse(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is exact for sizes around N_LAPACK, identical every time, and ignores the upper triangle."""
    monkeypatch.setattr(ease, "N_LAPACK", 4)
    monkeypatch.setattr(ease, "N_BLOCK", 3)
    rows = np.random.default_rng(size).standard_normal((2 * size, size))
    gram = rows.T @ rows + np.eye(size)
    once, again = (np.tril(gram).astype(np.float32) for _ in range(2))

    invert(once)
    invert(again)

    np.testing.assert_allclose(once, np.linalg.inv(gram), atol=1e-5)
    np.testing.assert_array_equal(once, again)


def test_lapack_gets_no_matrix_above_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """LAPACK crashes on large matrices on two threads; this test uses a small limit instead."""
    monkeypatch.setattr(ease, "N_LAPACK", 4)
    sizes, original = [], ease._invert_by_lapack

    def spied(matrix: F32) -> None:
        sizes.append(len(matrix))
        original(matrix)

    monkeypatch.setattr(ease, "_invert_by_lapack", spied)

    ease_weights(np.eye(13, dtype=np.float32) + 0.1)

    assert max(sizes) <= 4
    assert sum(sizes) == 13


def test_a_singular_matrix_is_refused_in_the_recursion_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tracks have the same listeners; each is in another half of the matrix."""
    monkeypatch.setattr(ease, "N_LAPACK", 4)
    gram = np.eye(6, dtype=np.float32)
    gram[5, 0] = gram[0, 5] = 1

    with pytest.raises(
        InputError, match=r"6 tracks cannot be inverted: regularization is too small .* Increase regularization"
    ):
        ease_weights(gram)


def test_each_column_is_a_ridge_regression() -> None:
    """Column j is the ridge regression of track j on all other tracks."""
    weights = ease_weights((LIKES.T @ LIKES + 0.5 * np.eye(5)).astype(np.float32))

    for track in range(5):
        others = np.delete(LIKES, track, axis=1)
        expected = np.linalg.solve(others.T @ others + 0.5 * np.eye(4), others.T @ LIKES[:, track])
        np.testing.assert_allclose(np.delete(weights[:, track], track), expected, atol=1e-4)


def in_order(n_tracks: int, n_users: int) -> Interactions:
    """Every listener plays all tracks, u0 from the first to the last, u1 from the second on, and so on."""
    rows = [
        {"user_id": f"u{user}", "track_id": f"t{(user + n) % n_tracks:02}", "strength": 1.0, "age_days": 1.0 * -n + 99}
        for user in range(n_users) for n in range(n_tracks)
    ]  # fmt: skip
    return Interactions.of(pl.DataFrame(rows))


def test_windows_of_consecutive_plays_are_rows() -> None:
    """
    The weights are the closed form of users and, times their weight, the last ten plays and the five before.

    Histories have 15 tracks, so the regularization is multiplied by (24 / 15)**1.5.
    """
    interactions = in_order(15, 2)
    config = EASEConfig(regularization=2, dropout=0, side_weight=0, listener_exponent=0, window_weight=3)
    windows = np.zeros((4, 15))
    for user in range(2):
        order = [(user + n) % 15 for n in range(15)]
        windows[2 * user, order[5:]], windows[2 * user + 1, order[:5]] = 1, 1
    rows = np.vstack([np.ones((2, 15)), np.sqrt(3) * windows])
    inverse = np.linalg.inv(rows.T @ rows + 2 * (24 / 15) ** 1.5 * np.eye(15))
    expected = -inverse / inverse.diagonal()
    np.fill_diagonal(expected, 0)

    fitted = EASE(config).fit(interactions)

    np.testing.assert_allclose(fitted.arrays()["weights"], expected, atol=1e-5)


@pytest.mark.parametrize(("n_tracks", "factor"), [(3, 8**1.5), (6, 8.0), (24, 1.0), (30, 1.0)])
@pytest.mark.parametrize("max_tracks", [40_000, 1])
def test_short_histories_are_regularized_more(n_tracks: int, factor: float, max_tracks: int) -> None:
    """One listener of n tracks: off the diagonal, all weights are 1 / (n - 1 + regularization), in closed form."""
    config = EASEConfig(regularization=5, dropout=0, side_weight=0, max_tracks=max_tracks)

    model = Recommender(EASE(config)).fit(in_order(n_tracks, 1))

    weights = model.scorer._weights
    dense = weights if isinstance(weights, np.ndarray) else weights.toarray()
    expected = (1 - np.eye(n_tracks)) / (n_tracks - 1 + 5 * factor)
    np.testing.assert_allclose(dense, expected, rtol=1e-4, atol=1e-7)


def test_tracks_played_together_predict_each_other_more() -> None:
    """All listeners have the same tracks; windows alone tell which were played close together."""
    interactions = in_order(30, 1)
    with_windows, without = (
        EASE(EASEConfig(window_weight=weight)).fit(interactions).arrays()["weights"] for weight in (1.0, 0.0)
    )

    assert with_windows[29, 28] > with_windows[29, 0]
    assert without[29, 28] == pytest.approx(without[29, 0])


def test_windows_are_rows_of_a_large_catalogue_too() -> None:
    """With all tracks as neighbours, the regression on neighbours has the weights of the exact one."""
    interactions = in_order(24, 3)
    exact, sparse = (EASE(EASEConfig(window_weight=1.0, max_tracks=n)).fit(interactions).arrays() for n in (40_000, 1))

    np.testing.assert_allclose(matrix_of("weights", sparse).toarray(), exact["weights"], atol=1e-4)


NOT_INVERTIBLE = r"2 tracks cannot be inverted: regularization is too small .* Increase regularization"


def test_a_singular_matrix_is_refused() -> None:
    """Two tracks with the same listeners need regularization; the message says so."""
    twins = interactions_of(np.ones((4, 2)))
    config = EASEConfig(regularization=1e-12, dropout=0.0, side_weight=0.0)

    with pytest.raises(InputError, match=NOT_INVERTIBLE):
        EASE(config).fit(twins)


def test_an_indefinite_matrix_is_refused() -> None:
    """Rounding can leave a negative eigenvalue."""
    with pytest.raises(InputError, match=NOT_INVERTIBLE):
        ease_weights(np.array([[1, 2], [2, 1]], np.float32))


def test_features_rank_tracks_that_nobody_has_played() -> None:
    """A new track by the artist in the history ranks above a new track by another artist."""
    interactions = Interactions.of(BY_ARTIST, catalogue=CATALOGUE)
    user_ids = interactions.users.ids()

    ranking = (
        Recommender(EASE(EASEConfig(regularization=1.0)))
        .fit(interactions)
        .recommend(user_ids, 4, filters=Filters.of(interactions))
    )

    new = ranking.filter(pl.col("track_id").str.starts_with("new")).group_by("user_id").agg(pl.col("track_id").first())
    assert dict(new.iter_rows()) == {user: f"new_{user[0]}" for user in user_ids}


def test_tracks_with_rich_tags_count_more() -> None:
    """
    Feature rows follow the closed form: t0 and t1 share a tag, given four times and once; t2 has another.

    Norms are log(1 + number of times) divided by its mean over tracks, to the power `size_exponent`. Where a track has
    one tag, the norm cancels the tag's idf.
    """
    rows = {"track_id": ["t0", "t1", "t2"], "name": ["tag=a", "tag=a", "tag=b"], "weight": [4.0, 1.0, 1.0]}
    likes = interactions_of(np.eye(3).repeat(24, axis=0))
    described = replace(likes, track_features=Features.weighted(likes.tracks, pl.DataFrame(rows)))
    config = EASEConfig(regularization=2, dropout=0, side_weight=10, size_exponent=0.5, listener_exponent=0)
    a, b, c = (np.log([5, 2, 2]) / np.log([5, 2, 2]).mean()) ** 0.5
    tags = np.array([[a, b, 0], [0, 0, c]])
    inverse = np.linalg.inv(24 * np.eye(3) + 10 * tags.T @ tags + 2 * 24**1.5 * np.eye(3))
    expected = -inverse / inverse.diagonal()
    np.fill_diagonal(expected, 0)

    fitted = EASE(config).fit(described)

    np.testing.assert_allclose(fitted.arrays()["weights"], expected, atol=1e-6)


def test_without_features_new_tracks_score_zero() -> None:
    """With side_weight 0, tracks that nobody has played score 0."""
    interactions = Interactions.of(BY_ARTIST, catalogue=CATALOGUE)
    config = EASEConfig(regularization=1.0, side_weight=0.0)

    ranking = (
        Recommender(EASE(config))
        .fit(interactions)
        .recommend(interactions.users.ids(), 4, filters=Filters.of(interactions))
    )

    assert ranking.filter(pl.col("track_id").str.starts_with("new"))["score"].to_list() == [0.0] * 12


@pytest.mark.parametrize(("recency", "first"), [(1.0, ["x1", "y1"]), (0.0, ["x1", "x1"])])
def test_recent_interactions_weigh_more(recency: float, first: list[str]) -> None:
    """Histories that differ only in the ages of plays each get their recent artist first, but not at recency 0."""
    interactions = Interactions.of(BY_ARTIST)
    plays = pl.DataFrame(
        {
            "user_id": ["recently_x", "recently_x", "recently_y", "recently_y"],
            "track_id": ["x0", "y0", "x0", "y0"],
            "strength": 1.0,
            "age_days": [1.0, 300.0, 300.0, 1.0],
        }
    )
    config = EASEConfig(regularization=1.0, recency=recency)

    folded = (
        Recommender(EASE(config)).fit(interactions).recommend_by_history(plays, 1, filters=Filters.of(interactions))
    )

    assert folded["track_id"].to_list() == first


class TestLargeCatalogue:
    """A catalogue of more than `max_tracks` tracks: each is regressed on its neighbours alone."""

    EXACT = EASEConfig(regularization=1.0)
    SPARSE = replace(EXACT, max_tracks=3)

    def test_a_catalogue_of_exactly_this_size_is_solved_exactly(self) -> None:
        """The weights are a dense matrix."""
        model = EASE(replace(self.EXACT, max_tracks=5)).fit(interactions_of(LIKES))

        np.testing.assert_array_equal(
            model.arrays()["weights"], EASE(self.EXACT).fit(interactions_of(LIKES)).arrays()["weights"]
        )

    @pytest.mark.parametrize("side_weight", [0.0, 10.0])
    def test_with_all_tracks_as_neighbours_it_is_exact(self, side_weight: float) -> None:
        """Where every two tracks share a listener, the ridge on all neighbours is the closed form."""
        likes = (np.random.default_rng(3).random((60, 12)) < 0.5).astype(np.float64)
        catalogue = pl.DataFrame({"track_id": [f"t{n}" for n in range(12)], "artist": [f"a{n % 4}" for n in range(12)]})
        interactions = interactions_of(likes, catalogue)
        config = replace(self.EXACT, side_weight=side_weight)

        exact = EASE(config).fit(interactions)
        sparse = EASE(replace(config, max_tracks=3)).fit(interactions)

        np.testing.assert_allclose(
            matrix_of("weights", sparse.arrays()).toarray(), exact.arrays()["weights"], atol=1e-5
        )

    def test_features_rank_tracks_that_nobody_has_played(self) -> None:
        """As in the exact model, a new track by the artist in the history ranks above one by another artist."""
        interactions = Interactions.of(BY_ARTIST, catalogue=CATALOGUE)

        ranking = (
            Recommender(EASE(self.SPARSE))
            .fit(interactions)
            .recommend(interactions.users.ids(), 1, filters=Filters.of(interactions))
        )

        assert ranking["track_id"].to_list() == [f"new_{user[0]}" for user in interactions.users.ids()]

    def test_a_loaded_model_recommends_and_explains_the_same(self, tmp_path: Path) -> None:
        """Sparse weights are saved and loaded."""
        interactions = interactions_of(LIKES)
        model = Recommender(EASE(self.SPARSE)).fit(interactions)
        model.save(tmp_path)
        loaded = Recommender.load(tmp_path)

        user_ids, filters = interactions.users.ids(), Filters.of(interactions, hide_seen=False)
        expected, ranking = (
            recommender.add_reasons(recommender.recommend(user_ids, 5, filters=filters), interactions)
            for recommender in (model, loaded)
        )
        assert_frame_equal(ranking, expected, check_exact=True)

    def test_a_model_that_was_cut_off_has_to_be_fitted_again(self) -> None:
        """Models of older versions have weights of the most liked tracks only."""
        arrays = EASE(self.EXACT).fit(interactions_of(LIKES)).arrays()

        with pytest.raises(KeyError, match="weights of some tracks only"):
            EASE(self.EXACT).restore(arrays | {"weights": arrays["weights"][:3, :3]})


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8, 9])
def test_symmetrize_fills_the_upper_triangle(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upper triangle mirrors the lower one, which does not change, for sizes below, at and above a block."""
    monkeypatch.setattr(ease, "N_BLOCK", 4)
    lower = np.random.default_rng(size).random((size, size), np.float32)
    triangle = np.tril(lower)

    symmetrize(lower)

    np.testing.assert_array_equal(lower, triangle + np.tril(triangle, -1).T)
