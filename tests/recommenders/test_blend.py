"""The blend: what speaks for a candidate, how the ranker learns from it, and that it learns from validation alone."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe
from recsys.recommenders import blend
from recsys.recommenders.als import ALS, ALSConfig
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import Blend, BlendConfig, examples_of
from recsys.recommenders.item_knn import ItemKNN
from recsys.recommenders.parts.candidate_features import TrackStatistics, candidates, zscores
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.listening_hours import ListeningTimeProfile
from recsys.recommenders.parts.ranker import Examples, Ranker, listwise_loss

MODELS: dict[str, dict[str, Any]] = {"als": {"factors": 4, "epochs": 3}, "item_knn": {}}
SMALL = BlendConfig(models=MODELS, n_candidates=4, n_hidden=4, epochs=5)
HIDDEN = -np.inf
FIRST = np.array([[5, 4, 3, 2, 1], [1, 2, HIDDEN, 4, 5]], np.float32)
SECOND = np.array([[1, 2, 3, 4, 5], [5, 4, HIDDEN, 2, 1]], np.float32)


def pairs(first: int, last: int) -> pl.DataFrame:
    """Places first..last of twenty listeners, each of whom plays ten of their taste's twelve tracks in turn."""
    rows = [
        {"user_id": f"{side}{user}", "track_id": f"{side}{(user * 5 + place * 7) % 12:02}", "strength": 1.0,
         "age_days": 20.0 - 2 * place}
        for side in "ab" for user in range(10) for place in range(first, last + 1)
    ]  # fmt: skip
    return pl.DataFrame(rows)


CATALOGUE = pl.DataFrame({"track_id": [f"{side}{n:02}" for side in "ab" for n in range(12)]})


def interactions_of(first: int, last: int) -> Interactions:
    """Those places, in the whole catalogue."""
    return Interactions.of(pairs(first, last), catalogue=CATALOGUE)


def cut() -> Split:
    """Six places to learn from, two to choose by."""
    return Split.of(interactions_of(0, 5), pairs(6, 7).select("user_id", "track_id"))


class TestCandidates:
    """Two listeners, five tracks, two members; the second listener may not get track 2."""

    def test_are_each_members_best(self) -> None:
        """With one of each member: the two ends, with the places that both members give them."""
        (users, tracks), ranks = candidates([FIRST, SECOND], 1)

        assert (users.tolist(), tracks.tolist()) == ([0, 0, 1, 1], [0, 4, 0, 4])
        assert [rank.tolist() for rank in ranks] == [[0, 4, 3, 0], [4, 0, 0, 3]]

    def test_are_never_hidden(self) -> None:
        """Asked for more than there is, the hidden track is left out."""
        (users, tracks), ranks = candidates([FIRST, SECOND], 5)

        assert list(zip(users, tracks, strict=True)) == [(0, n) for n in range(5)] + [(1, n) for n in (0, 1, 3, 4)]
        assert ranks[0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1, 0]

    def test_stand_in_standard_deviations(self) -> None:
        """Distance from the mean of what the listener may get, over its standard deviation."""
        at = np.array([0, 0, 1]), np.array([0, 3, 4])

        found = zscores(FIRST, at)

        second = np.array([1, 2, 4, 5])
        std = [np.std([1, 2, 3, 4, 5])] * 2 + [np.std(second)]
        np.testing.assert_allclose(found, np.array([5 - 3, 2 - 3, 5 - 3]) / std, rtol=1e-5)

    def test_of_a_member_without_an_opinion_stand_at_zero(self) -> None:
        """Scores that are all the same say nothing, and are no division by zero."""
        assert zscores(np.full((1, 3), 2, np.float32), (np.zeros(3, int), np.arange(3))).tolist() == [0, 0, 0]


def test_evidence_of_the_catalogue_can_be_counted() -> None:
    """Ann likes two tracks of x, one of them a month ago; asked are another track of x and one of y."""
    plays = pl.DataFrame(
        # x0 has two listeners, both of this month; x1 and y0 one, x1's of a month ago.
        {
            "user_id": ["ann", "ann", "bob", "bob"],
            "track_id": ["x0", "x1", "x0", "y0"],
            "strength": [3.0, 1.0, 1.0, 1.0],
            "age_days": [0.0, 30.0, 0.0, 0.0],
        }
    )
    tracks = {"track_id": ["x0", "x1", "x2", "y0", "y1"], "artist": ["x", "x", "x", "y", None]}
    interactions = Interactions.of(plays, catalogue=pl.DataFrame(tracks))

    found = TrackStatistics.of(interactions).features(interactions.liked, (np.array([0, 0, 0]), np.array([2, 3, 4])))

    log1p, usual = np.log1p, (np.log(3) + np.log(2)) / 2
    expected = [
        [0, 0, np.log(2), 0 - usual, log1p(2), log1p(1.5), 1, 0, 0],
        [np.log(2), np.log(2), np.log(2), np.log(2) - usual, 0, 0, 0, 0, 0],
        [0, 0, np.log(2), 0 - usual, 0, 0, 0, 0, 0],  # an unknown artist is nobody's
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_listening_times_that_overlap_can_be_counted() -> None:
    """Ann plays on Monday mornings, bob on Sunday nights; a track of her hours is likelier for her, by both clocks."""
    plays = pl.DataFrame(
        {
            "user_id": ["ann", "ann", "bob", "bob", "cyd"],
            "track_id": ["dawn", "both", "dusk", "both", "none"],
            "strength": 1.0,
            "hour_of_week": [7, 8, 167, 166, None],  # parts 2 and 7 of the day, days 0 and 6 of the week
        }
    )
    interactions = Interactions.of(plays)

    found = ListeningTimeProfile.of(interactions.matrix, interactions.hours).log_lift(
        interactions.liked, (np.zeros(4, int), np.arange(4))
    )

    everybody = np.array([1, 1, 3, 1, 1, 1, 1, 3]) / 12  # a play of each part, and the two known ones of 2 and 7
    ann = (np.eye(8)[2] * 2 + 10 * everybody) / 12
    both = ((np.eye(8)[2] + np.eye(8)[7]) + 10 * everybody) / 12
    dawn, dusk = ((np.eye(8)[part] + 10 * everybody) / 11 for part in (2, 7))
    expected = [np.log(ann @ (track / everybody)) for track in (both, dawn, dusk)]
    np.testing.assert_allclose(found[:, 0], [*expected, 0], atol=1e-6)  # both, dawn, dusk, none
    assert found[1, 1] > found[0, 1] > found[2, 1]
    np.testing.assert_allclose(found[3], 0, atol=1e-6)


def test_trend_counts_the_last_four_weeks() -> None:
    """A track that was last liked a month ago is known, but no trend."""
    plays = pl.DataFrame({"user_id": ["ann", "ann"], "track_id": ["old", "new"], "strength": 1.0, "age_days": [28, 27]})

    catalogue = TrackStatistics.of(Interactions.of(plays))

    np.testing.assert_allclose(catalogue.popularity, np.log([2, 2]), rtol=1e-6)
    np.testing.assert_allclose(catalogue.trend, [np.log(2), 0], rtol=1e-6)  # new, old


def lists(seed: int, n_listeners: int = 60) -> Examples:
    """Lists of five candidates with four features, of which the third decides."""
    evidence = np.random.default_rng(seed).standard_normal((n_listeners, 5, 4)).astype(np.float32)
    chosen = evidence[:, :, 2] == evidence[:, :, 2].max(axis=1, keepdims=True)
    return Examples(evidence.reshape(-1, 4), chosen.ravel(), np.arange(n_listeners + 1) * 5)


def taught(examples: Examples, seed: int = 7) -> Ranker:
    """A small ranker."""
    return Ranker.fit(examples, n_hidden=4, epochs=80, learning_rate=0.05, seed=seed)


class TestRanker:
    """What a listener chose stands first."""

    def test_learns_the_feature_that_decides(self) -> None:
        """Of listeners whom it has not seen, it finds the chosen candidate first nearly always."""
        unseen = lists(seed=2)

        best = taught(lists(seed=1)).score(unseen.features).reshape(-1, 5).argmax(axis=1)

        assert (best == unseen.chosen.reshape(-1, 5).argmax(axis=1)).mean() > 0.9

    def test_same_seed_same_ranker(self) -> None:
        """Bit by bit; another seed gives another one."""
        one, again, other = (vars(taught(lists(seed=1), seed)) for seed in (7, 7, 8))

        assert all((one[name] == again[name]).all() for name in one)
        assert (one["hidden"] != other["hidden"]).any()

    def test_a_constant_feature_is_harmless(self) -> None:
        """A feature of one value neither divides by zero nor decides."""
        examples = lists(seed=1)
        examples.features[:, 0] = 3

        assert np.isfinite(taught(examples).score(examples.features)).all()

    def test_of_first_ranks_by_the_first_feature(self) -> None:
        """Where nothing was learned, the score is the first feature."""
        evidence = np.random.default_rng(3).standard_normal((20, 4)).astype(np.float32)

        np.testing.assert_allclose(Ranker.by_first_feature(4).score(evidence), evidence[:, 0], rtol=1e-4, atol=1e-6)

    def test_loss_is_the_formula(self) -> None:
        """-log of the share that each chosen one has of its own list's exponentials, the mean over all chosen."""
        scores = np.array([1.0, 2.0, 0.5, -1.0, 80.0, 79.0], np.float32)
        place, chosen = np.array([0, 0, 0, 1, 1, 1]), np.array([True, True, False, False, False, True])
        exact = scores.astype(np.float64)
        log_share = [exact[at] - np.log(np.exp(exact[place == place[at]]).sum()) for at in np.flatnonzero(chosen)]

        loss = listwise_loss(torch.from_numpy(scores), torch.from_numpy(place), torch.from_numpy(chosen))

        assert float(loss) == pytest.approx(-np.mean(log_share), rel=1e-5)

    def test_examples_hand_out_whole_lists(self) -> None:
        """Of lists of different lengths, in any order, with the place of each candidate's listener."""
        examples = Examples(np.zeros((6, 1), np.float32), np.ones(6, np.bool_), np.array([0, 2, 3, 6]))

        rows, place = examples.of_users(np.array([2, 0]))

        assert (rows.tolist(), place.tolist()) == ([3, 4, 5, 0, 1], [0, 0, 0, 1, 1])


class TestExamples:
    """Blocks of judged candidates."""

    def test_only_listeners_with_a_hit_teach(self) -> None:
        """Listener 1 of the first block chose no candidate and is left out; the second block goes behind."""
        told = np.arange(5, dtype=np.float32)[:, None]
        block = np.array([0, 0, 1, 1, 2]), told, np.array([True, False, False, False, True])

        found = examples_of([block, block])

        assert found is not None
        assert found.features.ravel().tolist() == [0, 1, 4, 0, 1, 4]
        assert found.starts.tolist() == [0, 2, 3, 5, 6]

    def test_without_a_hit_there_are_none(self) -> None:
        """Nobody chose a candidate: there is nothing to learn."""
        nothing = np.array([0, 1]), np.zeros((2, 1), np.float32), np.zeros(2, np.bool_)

        assert examples_of([nothing]) is None
        assert examples_of([]) is None


class TestBlend:
    """Members propose, the ranker orders."""

    @pytest.mark.parametrize("validation", [None, cut()], ids=["latest likes", "validation"])
    def test_ranks_all_that_is_allowed(self, validation: Split | None) -> None:
        """With and without a cut to learn from, candidates first and then all others, in the right taste first."""
        interactions = interactions_of(0, 7)

        ranking = Recommender(Blend(SMALL)).fit(interactions, validation=validation).recommend(
            interactions.users.ids(), 30, filters=Filters.of(interactions)
        )  # fmt: skip

        assert ranking.group_by("user_id").len()["len"].to_list() == [16] * 20
        first = ranking.filter(pl.col("rank") <= 2)
        assert (first["user_id"].str.head(1) == first["track_id"].str.head(1)).all()

    def test_the_ranker_learns_from_validation_alone(self) -> None:
        """Whatever the whole window holds, the same cut gives the same ranker."""
        rankers = []
        for last in (7, 9):
            model = Recommender(Blend(SMALL)).fit(interactions_of(0, last), validation=cut())
            rankers.append({name: value for name, value in model.scorer.arrays().items() if name.startswith("ranker")})

        assert all((rankers[0][name] == rankers[1][name]).all() for name in rankers[0])
        assert len(rankers[0]) == 4

    def test_members_fitted_before_are_taken_over(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A saved blend of the validation cut's training part saves a fit of each member, and changes no score."""
        interactions, fits, original = interactions_of(0, 9), [], ItemKNN.fit
        Recommender(Blend(SMALL)).fit(cut().train).save(tmp_path / "before")

        def spied(self: ItemKNN, seen: Interactions) -> ItemKNN:
            fits.append(seen)
            return original(self, seen)

        monkeypatch.setattr(ItemKNN, "fit", spied)

        before = Recommender.load(tmp_path / "before")
        plain, spared = (
            Recommender(Blend(SMALL)).fit(interactions, validation=cut(), load_fitted=load_fitted)
            for load_fitted in (None, lambda: before)
        )

        assert len(fits) == 2 + 1
        answers = [
            model.recommend(interactions.users.ids(), 12, filters=Filters.of(interactions)) for model in (plain, spared)
        ]
        assert_frame_equal(*answers, check_exact=True)

    def test_members_see_the_cuts_past_first_and_then_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A member is fitted to what stood before the choices, and again to the whole window."""
        seen, original = [], ItemKNN.fit

        def spied(self: ItemKNN, interactions: Interactions) -> ItemKNN:
            seen.append(interactions.matrix.nnz)
            return original(self, interactions)

        monkeypatch.setattr(ItemKNN, "fit", spied)
        Recommender(Blend(SMALL)).fit(interactions_of(0, 9), validation=cut())

        assert seen == [20 * 6, 20 * 10]

    def test_choices_are_the_cuts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Every candidate is held against what was found later, and none was known before."""
        asked: list[Any] = []
        monkeypatch.setattr(blend, "examples_of", asked.extend)

        Recommender(Blend(BlendConfig(models=MODELS, n_candidates=24))).fit(interactions_of(0, 9), validation=cut())

        users, told, chosen = asked[0]
        assert np.bincount(users).tolist() == [24 - 6] * 20
        assert np.bincount(users, weights=chosen).tolist() == [2] * 20
        assert len(told) == len(users)

    def test_without_a_choice_the_first_member_ranks(self) -> None:
        """Listeners of one track each leave nothing to learn from: the order is the first member's."""
        interactions = interactions_of(0, 0)
        asked, filters = interactions.users.ids(), Filters.of(interactions)

        found = Recommender(Blend(SMALL)).fit(interactions).recommend(asked, 4, filters=filters)

        first = Recommender(ALS(ALSConfig(**MODELS["als"]))).fit(interactions).recommend(asked, 4, filters=filters)
        assert_frame_equal(found.drop("score"), first.drop("score"))

    def test_an_empty_cut_is_no_lesson(self) -> None:
        """Where nothing was chosen in the cut, the latest likes teach instead."""
        interactions = interactions_of(0, 7)
        empty = Split.of(interactions_of(0, 5), pairs(0, 1).select("user_id", "track_id"))
        asked, filters = interactions.users.ids(), Filters.of(interactions)

        with_it, without = (Recommender(Blend(SMALL)).fit(interactions, validation=each) for each in (empty, None))

        assert_frame_equal(
            with_it.recommend(asked, 5, filters=filters), without.recommend(asked, 5, filters=filters), check_exact=True
        )

    def test_what_may_not_be_had_is_no_candidate(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each listener's candidates are their best among what the mask leaves, so that none is wasted."""
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
    def test_of_nothing_or_itself_is_refused(self, models: dict[str, dict[str, Any]]) -> None:
        """A blend has other recommenders as its members, and one at least."""
        with pytest.raises(
            BadRecipe, match=r"\[recommenders.blend\] models: found .*, expected at least one, and not blend itself"
        ):
            BlendConfig(models=models)

    def test_takes_few_listeners_of_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The ranker is taught by so many listeners at most, drawn by the seed."""
        asked: list[Any] = []
        monkeypatch.setattr(blend, "examples_of", asked.extend)
        monkeypatch.setattr(blend, "MAX_EXAMPLE_USERS", 7)

        Recommender(Blend(SMALL)).fit(interactions_of(0, 9), validation=cut())

        assert [len(np.unique(users)) for users, _, _ in asked] == [7]
