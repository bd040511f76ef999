"""The blend: features of candidates, the ranker, and that the ranker learns from the validation split alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
import torch
from polars.testing import assert_frame_equal

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe, SetupError
from recsys.recommenders import blend
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import Blend, BlendConfig, examples_of
from recsys.recommenders.item_knn import ItemKNN
from recsys.recommenders.parts.candidate_features import TrackStatistics, candidates, own_plays, zscores
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.listening_hours import ListeningTimeProfile
from recsys.recommenders.parts.ranker import Examples, Ranker, listwise_loss

MODELS: dict[str, dict[str, Any]] = {"als": {"factors": 4, "epochs": 3}, "item_knn": {}}
SMALL = BlendConfig(models=MODELS, n_candidates=4, n_hidden=4, epochs=5)
HIDDEN = -np.inf
FIRST = np.array([[5, 4, 3, 2, 1], [1, 2, HIDDEN, 4, 5]], np.float32)
SECOND = np.array([[1, 2, 3, 4, 5], [5, 4, HIDDEN, 2, 1]], np.float32)


def pairs(first: int, last: int) -> pl.DataFrame:
    """Plays number first..last of twenty listeners in two groups; each plays ten of their group's twelve tracks."""
    rows = [
        {"user_id": f"{side}{user}", "track_id": f"{side}{(user * 5 + number * 7) % 12:02}", "strength": 1.0,
         "age_days": 20.0 - 2 * number}
        for side in "ab" for user in range(10) for number in range(first, last + 1)
    ]  # fmt: skip
    return pl.DataFrame(rows)


CATALOGUE = pl.DataFrame({"track_id": [f"{side}{n:02}" for side in "ab" for n in range(12)]})


def interactions_of(first: int, last: int) -> Interactions:
    """Interactions of plays number first..last, with the whole catalogue."""
    return Interactions.of(pairs(first, last), catalogue=CATALOGUE)


def validation_split() -> Split:
    """Six plays per listener to learn from, the next two held out."""
    return Split.of(interactions_of(0, 5), pairs(6, 7).select("user_id", "track_id"))


class TestCandidates:
    """Candidates and z-scores of two members, two listeners and five tracks; track 2 is excluded for listener 1."""

    def test_are_the_best_of_each_member(self) -> None:
        """One candidate per member: the first and the last track, with their ranks by both members."""
        (users, tracks), ranks = candidates([FIRST, SECOND], 1)

        assert (users.tolist(), tracks.tolist()) == ([0, 0, 1, 1], [0, 4, 0, 4])
        assert [rank.tolist() for rank in ranks] == [[0, 4, 3, 0], [4, 0, 0, 3]]

    def test_are_never_excluded_tracks(self) -> None:
        """With as many candidates as tracks, the excluded track is left out."""
        (users, tracks), ranks = candidates([FIRST, SECOND], 5)

        assert list(zip(users, tracks, strict=True)) == [(0, n) for n in range(5)] + [(1, n) for n in (0, 1, 3, 4)]
        assert ranks[0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1, 0]

    def test_zscores_are_over_the_allowed_tracks_of_a_listener(self) -> None:
        """Distance from the mean score of the listener's allowed tracks, divided by their standard deviation."""
        pairs = np.array([0, 0, 1]), np.array([0, 3, 4])

        computed = zscores(FIRST, pairs)

        second = np.array([1, 2, 4, 5])
        std = [np.std([1, 2, 3, 4, 5])] * 2 + [np.std(second)]
        np.testing.assert_allclose(computed, np.array([5 - 3, 2 - 3, 5 - 3]) / std, rtol=1e-5)

    def test_zscores_of_constant_scores_are_zero(self) -> None:
        """Equal scores do not cause a division by zero."""
        assert zscores(np.full((1, 3), 2, np.float32), (np.zeros(3, int), np.arange(3))).tolist() == [0, 0, 0]


def test_track_features_can_be_counted() -> None:
    """
    Features of four candidates of ann, who likes two tracks by artist x, one of them 30 days ago.

    The candidates are another track by x, a track by y, a track by an unknown artist, and the one of 30 days ago.
    """
    plays = pl.DataFrame(
        # x0 has two recent listeners; x1 and y0 have one each, that of x1 30 days ago.
        {
            "user_id": ["ann", "ann", "bob", "bob"],
            "track_id": ["x0", "x1", "x0", "y0"],
            "strength": [3.0, 1.0, 1.0, 1.0],
            "age_days": [0.0, 30.0, 0.0, 0.0],
        }
    )
    tracks = {"track_id": ["x0", "x1", "x2", "y0", "y1"], "artist": ["x", "x", "x", "y", None]}
    interactions = Interactions.of(plays, catalogue=pl.DataFrame(tracks))

    pairs = np.array([0, 0, 0, 0]), np.array([2, 3, 4, 1])
    features = TrackStatistics.of(interactions).features(interactions.liked, pairs)

    log1p, mean_popularity = np.log1p, (np.log(3) + np.log(2)) / 2
    own = log1p(1), log1p((1 + 30 / 30) ** -0.5), log1p((1 + 1 / 30) ** -0.5)
    expected = [
        [0, 0, np.log(2), 0 - mean_popularity, log1p(2), log1p(1.5), 1, 0, 0, 0, 0, 0],
        [np.log(2), np.log(2), np.log(2), np.log(2) - mean_popularity, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, np.log(2), 0 - mean_popularity, 0, 0, 0, 0, 0, 0, 0, 0],  # 'unknown' is not an artist
        [np.log(2), 0, np.log(2), np.log(2) - mean_popularity, log1p(2), log1p(1.5), 1, 0, 0, *own],
    ]
    np.testing.assert_allclose(features, expected, atol=1e-6)
    assert own_plays(interactions.liked, (np.zeros(0, int), np.zeros(0, int))).shape == (0, 3)


def test_the_lift_of_listening_times_can_be_counted() -> None:
    """Ann plays on Monday mornings, bob on Sunday nights: a track played on Monday mornings has more lift for ann."""
    plays = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "bob", "bob", "cyd"],
            "track_id": ["dawn", "both", "dusk", "both", "none"],
            "strength": 1.0,
            "hour_of_week": [7, 8, 167, 166, None],  # parts 2 and 7 of the day, weekdays 0 and 6
        }
    )
    interactions = Interactions.of(plays)

    profile = ListeningTimeProfile.of(interactions.matrix, interactions.hours)
    lift = profile.log_lift(interactions.liked, (np.zeros(4, int), np.arange(4)))

    everybody = np.array([1, 1, 3, 1, 1, 1, 1, 3]) / 12  # one play in each part of the day, plus two each in 2 and 7
    ann = (np.eye(8)[2] * 2 + 10 * everybody) / 12
    both = ((np.eye(8)[2] + np.eye(8)[7]) + 10 * everybody) / 12
    dawn, dusk = ((np.eye(8)[part] + 10 * everybody) / 11 for part in (2, 7))
    expected = [np.log(ann @ (track / everybody)) for track in (both, dawn, dusk)]
    np.testing.assert_allclose(lift[:, 0], [*expected, 0], atol=1e-6)  # both, dawn, dusk, none
    assert lift[1, 1] > lift[0, 1] > lift[2, 1]
    np.testing.assert_allclose(lift[3], 0, atol=1e-6)


def test_trend_counts_the_last_28_days() -> None:
    """A track last played 28 days ago has popularity, but no trend."""
    plays = pl.DataFrame({"user_id": ["ann", "ann"], "track_id": ["old", "new"], "strength": 1.0, "age_days": [28, 27]})

    statistics = TrackStatistics.of(Interactions.of(plays))

    np.testing.assert_allclose(statistics.popularity, np.log([2, 2]), rtol=1e-6)
    np.testing.assert_allclose(statistics.trend, [np.log(2), 0], rtol=1e-6)  # new, old


def random_examples(seed: int, n_listeners: int = 60) -> Examples:
    """Five candidates per listener with four random features; the one with the largest third feature is chosen."""
    features = np.random.default_rng(seed).standard_normal((n_listeners, 5, 4)).astype(np.float32)
    chosen = features[:, :, 2] == features[:, :, 2].max(axis=1, keepdims=True)
    return Examples(features.reshape(-1, 4), chosen.ravel(), np.arange(n_listeners + 1) * 5)


def fitted(examples: Examples, seed: int = 7) -> Ranker:
    """Fit a small ranker."""
    return Ranker.fit(examples, n_hidden=4, epochs=80, learning_rate=0.05, seed=seed)


class TestRanker:
    """The ranker puts chosen candidates first."""

    def test_learns_the_feature_that_decides(self) -> None:
        """For more than 90% of listeners outside training, the chosen candidate is ranked first."""
        unseen = random_examples(seed=2)

        best = fitted(random_examples(seed=1)).score(unseen.features).reshape(-1, 5).argmax(axis=1)

        assert (best == unseen.chosen.reshape(-1, 5).argmax(axis=1)).mean() > 0.9

    def test_same_seed_same_ranker(self) -> None:
        """The same seed gives the same weights, bit by bit; another seed gives others."""
        one, again, other = (vars(fitted(random_examples(seed=1), seed)) for seed in (7, 7, 8))

        assert all((one[name] == again[name]).all() for name in one)
        assert (one["hidden"] != other["hidden"]).any()

    def test_a_constant_feature_is_harmless(self) -> None:
        """A feature with standard deviation 0 causes no division by zero, and its other values count for nothing."""
        examples = random_examples(seed=1)
        examples.features[:, 0] = 3
        ranker = fitted(examples)

        scores = ranker.score(examples.features)
        examples.features[:, 0] = 5

        assert np.isfinite(scores).all()
        np.testing.assert_array_equal(ranker.score(examples.features), scores)

    def test_by_first_feature_ranks_by_the_first_feature(self) -> None:
        """Without training, the score is the first feature."""
        features = np.random.default_rng(3).standard_normal((20, 4)).astype(np.float32)

        np.testing.assert_allclose(Ranker.by_first_feature(4).score(features), features[:, 0], rtol=1e-4, atol=1e-6)

    def test_the_loss_follows_the_formula(self) -> None:
        """Mean, over the chosen candidates, of -log(exp(score) / sum of exp(score) over the user's candidates)."""
        scores = np.array([1.0, 2.0, 0.5, -1.0, 80.0, 79.0], np.float32)
        user, chosen = np.array([0, 0, 0, 1, 1, 1]), np.array([True, True, False, False, False, True])
        exact = scores.astype(np.float64)
        logs = [exact[row] - np.log(np.exp(exact[user == user[row]]).sum()) for row in np.flatnonzero(chosen)]

        loss = listwise_loss(torch.from_numpy(scores), torch.from_numpy(user), torch.from_numpy(chosen))

        assert float(loss) == pytest.approx(-np.mean(logs), rel=1e-5)

    def test_examples_of_users_are_all_their_candidates(self) -> None:
        """Users with different numbers of candidates, in any order; each candidate has the position of its user."""
        examples = Examples(np.zeros((6, 1), np.float32), np.ones(6, np.bool_), np.array([0, 2, 3, 6]))

        rows, user = examples.of_users(np.array([2, 0]))

        assert (rows.tolist(), user.tolist()) == ([3, 4, 5, 0, 1], [0, 0, 0, 1, 1])


class TestExamples:
    """Training examples from blocks of labelled candidates."""

    def test_only_listeners_who_chose_a_candidate_are_examples(self) -> None:
        """Listener 1 of each block chose no candidate and is left out; blocks are concatenated."""
        features = np.arange(5, dtype=np.float32)[:, None]
        block = np.array([0, 0, 1, 1, 2]), features, np.array([True, False, False, False, True])

        examples = examples_of([block, block])

        assert examples is not None
        assert examples.features.ravel().tolist() == [0, 1, 4, 0, 1, 4]
        assert examples.user_offsets.tolist() == [0, 2, 3, 5, 6]

    def test_without_a_chosen_candidate_there_are_no_examples(self) -> None:
        """The result is None."""
        block = np.array([0, 1]), np.zeros((2, 1), np.float32), np.zeros(2, np.bool_)

        assert examples_of([block]) is None
        assert examples_of([]) is None


class TestBlend:
    """Members propose candidates, the ranker orders them."""

    @pytest.mark.parametrize("validation", [None, validation_split()], ids=["latest pairs", "validation"])
    def test_ranks_all_allowed_tracks(self, validation: Split | None) -> None:
        """With and without a validation split, all allowed tracks are ranked, those of the listener's group first."""
        interactions = interactions_of(0, 7)

        ranking = Recommender(Blend(SMALL)).fit(interactions, validation=validation).recommend(
            interactions.users.ids(), 30, filters=Filters.of(interactions)
        )  # fmt: skip

        assert ranking.group_by("user_id").len()["len"].to_list() == [16] * 20
        first = ranking.filter(pl.col("rank") <= 2)
        assert (first["user_id"].str.head(1) == first["track_id"].str.head(1)).all()

    def test_the_ranker_learns_from_validation_alone(self) -> None:
        """The same validation split gives the same ranker, whatever else is in the window."""
        rankers = []
        for last in (7, 9):
            model = Recommender(Blend(SMALL)).fit(interactions_of(0, last), validation=validation_split())
            rankers.append({name: value for name, value in model.scorer.arrays().items() if name.startswith("ranker")})

        assert all((rankers[0][name] == rankers[1][name]).all() for name in rankers[0])
        assert len(rankers[0]) == 4

    def test_fitted_members_are_reused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a saved blend fitted to the training part, each member is fitted only once; scores do not change."""
        interactions, fits, original = interactions_of(0, 9), [], ItemKNN.fit
        config = replace(SMALL, models={"item_knn": {}, "user_knn": {}})
        Recommender(Blend(config)).fit(validation_split().train).save(tmp_path / "saved")

        def spied(self: ItemKNN, interactions: Interactions) -> ItemKNN:
            fits.append(interactions)
            return original(self, interactions)

        monkeypatch.setattr(ItemKNN, "fit", spied)

        saved = Recommender.load(tmp_path / "saved")
        fitted_anew, reused = (
            Recommender(Blend(config)).fit(interactions, validation=validation_split(), load_fitted=load_fitted)
            for load_fitted in (None, lambda: saved)
        )

        assert len(fits) == 2 + 1
        rankings = [
            model.recommend(interactions.users.ids(), 12, filters=Filters.of(interactions))
            for model in (fitted_anew, reused)
        ]
        assert_frame_equal(*rankings, check_exact=True)

    def test_the_second_fit_of_a_member_with_epochs_continues_the_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of 8 epochs the first fit has 5, the second 3, from the first factors; tracks that it did not have get 0."""
        calls: list[tuple[int, Any, Interactions, Any]] = []
        original = ALS.fit_from

        def spied(self: ALS, track_factors: Any, interactions: Interactions) -> ALS:
            original(self, track_factors, interactions)
            calls.append((self.config.epochs, track_factors, interactions, self.track_factors))
            return self

        monkeypatch.setattr(ALS, "fit_from", spied)
        older = CATALOGUE[2:]  # a00 and a01 are new
        plays = pairs(0, 7).join(older, on="track_id", how="semi")
        is_later = pl.col("age_days") < 10
        train = Interactions.of(plays.filter(~is_later), catalogue=older)
        validation = Split.of(train, plays.filter(is_later).select("user_id", "track_id"))
        config = replace(SMALL, models={"als": {"factors": 4, "epochs": 8}})

        Recommender(Blend(config)).fit(interactions_of(0, 9), validation=validation)

        (first_epochs, _, first, learned), (second_epochs, start, second, _) = calls
        assert (first_epochs, second_epochs) == (5, 3)
        np.testing.assert_array_equal(start[second.tracks.rows(first.tracks.ids())], learned)
        assert (start[second.tracks.rows(["a00", "a01"])] == 0).all()

    def test_members_are_fitted_to_the_training_part_and_then_to_everything(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each member is fitted to the split's training part, and again to the whole window."""
        n_pairs, original = [], ItemKNN.fit

        def spied(self: ItemKNN, interactions: Interactions) -> ItemKNN:
            n_pairs.append(interactions.matrix.nnz)
            return original(self, interactions)

        monkeypatch.setattr(ItemKNN, "fit", spied)
        Recommender(Blend(SMALL)).fit(interactions_of(0, 9), validation=validation_split())

        assert n_pairs == [20 * 6, 20 * 10]

    def test_labels_are_the_test_pairs_of_the_split(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Candidates are labelled by the test pairs; tracks seen in training are not candidates."""
        blocks: list[Any] = []
        monkeypatch.setattr(blend, "examples_of", blocks.extend)

        Recommender(Blend(BlendConfig(models=MODELS, n_candidates=24))).fit(
            interactions_of(0, 9), validation=validation_split()
        )

        users, features, labels = blocks[0]
        assert np.bincount(users).tolist() == [24 - 6] * 20
        assert np.bincount(users, weights=labels).tolist() == [2] * 20
        assert len(features) == len(users)

    def test_known_tracks_are_candidates_where_the_split_hides_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """If lists may contain known tracks, all tracks are candidates, and a track heard again is a label."""
        blocks: list[Any] = []
        monkeypatch.setattr(blend, "examples_of", blocks.extend)
        nothing = sp.csr_matrix((20, 24), dtype=np.bool_)
        split = Split.of(interactions_of(0, 5), pairs(5, 7).select("user_id", "track_id"), hidden=nothing)

        Recommender(Blend(BlendConfig(models=MODELS, n_candidates=24))).fit(interactions_of(0, 9), validation=split)

        users, _, labels = blocks[0]
        assert np.bincount(users).tolist() == [24] * 20
        assert np.bincount(users, weights=labels).tolist() == [3] * 20

    def test_a_ranker_of_other_features_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A blend that an earlier version saved, with fewer features, is not loaded; the message says what to do."""
        model = Recommender(Blend(SMALL)).fit(interactions_of(0, 9), validation=validation_split())
        older = model.scorer.arrays() | {"ranker.mean": np.zeros(13, np.float32)}
        monkeypatch.setattr(model.scorer, "arrays", lambda: older)
        model.save(tmp_path)

        said = r"version of this software \(its ranker has 13 features, expected 16\); fit it again: recsys nightly"
        with pytest.raises(SetupError, match=said):
            Recommender.load(tmp_path)

    def test_without_examples_the_order_is_that_of_the_first_member(self) -> None:
        """If every listener has one track only, nothing can be held out for the ranker."""
        interactions = interactions_of(0, 0)
        user_ids, filters = interactions.users.ids(), Filters.of(interactions)

        ranking = Recommender(Blend(SMALL)).fit(interactions).recommend(user_ids, 4, filters=filters)

        first = Recommender(ALS(ALSConfig(**MODELS["als"]))).fit(interactions).recommend(user_ids, 4, filters=filters)
        assert_frame_equal(ranking.drop("score"), first.drop("score"))

    def test_without_test_pairs_the_latest_pairs_are_held_out(self) -> None:
        """A validation split without test pairs is treated like no split."""
        interactions = interactions_of(0, 7)
        empty = Split.of(interactions_of(0, 5), pairs(0, 1).select("user_id", "track_id"))
        user_ids, filters = interactions.users.ids(), Filters.of(interactions)

        with_empty, without = (
            Recommender(Blend(SMALL)).fit(interactions, validation=validation) for validation in (empty, None)
        )

        assert_frame_equal(
            with_empty.recommend(user_ids, 5, filters=filters),
            without.recommend(user_ids, 5, filters=filters),
            check_exact=True,
        )

    def test_excluded_tracks_are_not_candidates(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each listener has the full number of candidates, all of them allowed."""
        interactions = interactions_of(0, 7)
        model, filters, proposed = Recommender(Blend(SMALL)).fit(interactions), Filters.of(interactions), []

        def spied(scores: list[Any], n: int) -> Any:
            proposed.append(candidates(scores, n))
            return proposed[-1]

        monkeypatch.setattr(blend, "candidates", spied)
        model.recommend(interactions.users.ids(), 3, filters=filters)

        ((users, tracks), _) = proposed[0]
        assert not np.asarray(interactions.seen[users, tracks]).any()
        assert np.bincount(users, minlength=20).min() >= SMALL.n_candidates

    @pytest.mark.parametrize("models", [{}, {"blend": {}}, {"ease": {}, "blend": {}}])
    def test_needs_members_other_than_itself(self, models: dict[str, dict[str, Any]]) -> None:
        """A blend without members, or with a blend among its members, is refused."""
        with pytest.raises(
            BadRecipe, match=r"\[recommenders.blend\] models: found .*, expected at least one, and not blend itself"
        ):
            BlendConfig(models=models)

    def test_samples_listeners_if_there_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The ranker learns from at most MAX_EXAMPLE_USERS listeners."""
        blocks: list[Any] = []
        monkeypatch.setattr(blend, "examples_of", blocks.extend)
        monkeypatch.setattr(blend, "MAX_EXAMPLE_USERS", 7)

        Recommender(Blend(SMALL)).fit(interactions_of(0, 9), validation=validation_split())

        assert [len(np.unique(users)) for users, _, _ in blocks] == [7]
