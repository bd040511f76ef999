"""Exposure targets: shares by hand, the share reached, and the dual bound on relevance."""

from itertools import permutations, product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.evaluate.ranking import discounts
from recsys.rerank.base import CandidateSet, RerankContext
from recsys.rerank.lists import apply_rules
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure, PricedExposure, dual_bound, group_exposure_shares

from ..conftest import Ranked, random_candidates

F = "gender=f"


def relevance(candidate_set: CandidateSet, chosen: np.ndarray) -> float:
    """Return the discounted relevance of the lists."""
    shown = np.take_along_axis(candidate_set.relevance, np.maximum(chosen, 0), axis=1)
    return float((np.where(chosen >= 0, shown, 0) * discounts(candidate_set.k)).sum())


def test_shares_by_hand(context: RerankContext, ranked: Ranked) -> None:
    """Ranks have exposure 1 and 0.63: f has rank 1 in ann's list and rank 2 in bob's, together half."""
    candidate_set = CandidateSet.of(ranked(ann="b2 a1", bob="a1 c1"), context, 2)
    chosen = np.array([[0, 1], [0, 1]])

    assert group_exposure_shares(candidate_set, chosen, context.members(F)[:, None])[0] == pytest.approx(0.5)
    assert group_exposure_shares(candidate_set, chosen[:, ::-1], context.members("gender=m")[:, None])[
        0
    ] == pytest.approx(0.5)
    assert np.isnan(group_exposure_shares(candidate_set, np.full((2, 2), -1), context.members(F)[:, None])[0])


def test_a_target_that_is_already_met_changes_nothing(context: RerankContext, ranked: Ranked) -> None:
    """A group may have more than its target: the lists stay the same."""
    candidate_set = CandidateSet.of(ranked(ann="b2 a1 c1", bob="a1 b2 c1"), context, 2)

    chosen, _ = apply_rules(candidate_set, [Exposure({F: 0.2})])

    assert chosen.tolist() == [[0, 1], [0, 1]]


def test_without_targets_nothing_changes(context: RerankContext, ranked: Ranked) -> None:
    """The rule may have an empty table of targets."""
    candidate_set = CandidateSet.of(ranked(ann="a1 c1 b1"), context, 2)

    assert apply_rules(candidate_set, [Exposure()])[0].tolist() == [[0, 1]]


def test_the_group_rises_where_it_costs_the_least_relevance(context: RerankContext, ranked: Ranked) -> None:
    """For ann c1 is nearly as relevant as a1, for bob it is the last: it rises in ann's list."""
    candidates = ranked(ann="a1 c1 a2 b1", bob="a1 a2 a3 c1").with_columns(
        score=pl.Series([1.0, 0.99, 0.5, 0.0, 1.0, 0.9, 0.8, 0.0], dtype=pl.Float32)
    )
    candidate_set = CandidateSet.of(candidates, context, 1)

    chosen, _ = apply_rules(candidate_set, [Exposure({F: 0.5})])

    assert chosen.tolist() == [[1], [0]]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), target=st.floats(0.2, 0.6))
def test_the_share_is_met_to_within_one_list(seed: int, target: float) -> None:
    """The share is within one list's exposure of the target, unless candidates forbid it or it was above already."""
    context, candidates = random_candidates(seed, n_users=40)
    candidate_set, members = CandidateSet.of(candidates, context, 6), context.members(F)[:, None]
    before = group_exposure_shares(candidate_set, apply_rules(candidate_set, [])[0], members)[0]

    reached = group_exposure_shares(candidate_set, apply_rules(candidate_set, [Exposure({F: target})])[0], members)[0]

    most = group_exposure_shares(candidate_set, apply_rules(candidate_set, [Exposure({F: 1.0})])[0], members)[0]
    assert reached >= min(target, most) - 1 / 40
    assert reached <= max(target, before) + 1 / 40


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), target=st.floats(0.25, 0.5))
def test_the_lists_are_nearly_as_relevant_as_any_that_meet_the_target(seed: int, target: float) -> None:
    """Relevance is within one listener's list of the dual bound, which no lists that meet the target exceed."""
    context, candidates = random_candidates(seed, n_users=40)
    candidate_set, members = CandidateSet.of(candidates, context, 6), context.members(F)[:, None]

    chosen, (priced,) = apply_rules(candidate_set, [Exposure({F: target})])

    assert isinstance(priced, PricedExposure)
    bound = dual_bound(candidate_set, priced)
    if group_exposure_shares(candidate_set, chosen, members)[0] >= target:
        assert relevance(candidate_set, chosen) <= bound + 1e-5
    assert relevance(candidate_set, chosen) >= bound - 2 * discounts(6).sum()


def test_no_lists_exceed_the_dual_bound(context: RerankContext, ranked: Ranked) -> None:
    """Of all pairs of lists of two listeners that meet the target, even the best is not above the bound."""
    candidate_set = CandidateSet.of(ranked(ann="a1 b1 b2 a2", bob="a1 a2 a3 c1"), context, 2)
    members, target = context.members(F)[:, None], 0.4
    _, (priced,) = apply_rules(candidate_set, [Exposure({F: target})])
    assert isinstance(priced, PricedExposure)

    all_lists = [np.array(lists) for lists in product(permutations(range(4), 2), repeat=2)]
    meeting = [
        relevance(candidate_set, lists)
        for lists in all_lists
        if group_exposure_shares(candidate_set, lists, members)[0] >= target
    ]

    assert meeting
    assert max(meeting) <= dual_bound(candidate_set, priced) + 1e-6


def test_listeners_with_the_same_list_are_split_at_a_jump(context: RerankContext, ranked: Ranked) -> None:
    """Ten listeners have the same fallback list: one price would move c1 up for all or none; half of them get it."""
    candidate_set = CandidateSet.of(ranked(**{f"u{number}": "a1 c1 a2" for number in range(10)}), context, 1)

    chosen, _ = apply_rules(candidate_set, [Exposure({F: 0.5})])

    assert (chosen == 1).sum() == 5


def test_two_targets_are_met_together() -> None:
    """Groups that overlap or compete have one price each."""
    context, candidates = random_candidates(5, n_users=60)
    candidate_set = CandidateSet.of(candidates, context, 6)
    genres = RerankContext(context.interactions, context.interactions.track_features)
    candidate_set = CandidateSet.of(candidates, genres, 6)
    targets = {"genre=g1": 0.35, "genre=g2": 0.35}
    members = np.stack([genres.members(group) for group in targets], axis=1)
    assert (group_exposure_shares(candidate_set, apply_rules(candidate_set, [])[0], members) < 0.3).all()

    reached = group_exposure_shares(candidate_set, apply_rules(candidate_set, [Exposure(targets)])[0], members)

    assert reached == pytest.approx([0.35, 0.35], abs=0.02)


def test_the_target_is_met_together_with_other_rules() -> None:
    """An artist cap and diversity change the lists; the working targets are corrected until the share is the target."""
    context, candidates = random_candidates(8, n_users=100)
    candidate_set, members = CandidateSet.of(candidates, context, 6), context.members(F)[:, None]

    chosen, _ = apply_rules(candidate_set, [ArtistCap(1), Diversity(0.3), Exposure({F: 0.45})])

    assert group_exposure_shares(candidate_set, chosen, members)[0] == pytest.approx(0.45, abs=0.01)


def test_a_target_is_met_as_far_as_candidates_allow(context: RerankContext, ranked: Ranked) -> None:
    """Two of four candidates are in group f and k = 4: both come first, and no price could give more."""
    candidate_set = CandidateSet.of(ranked(ann="a1 a2 b2 c1"), context, 4)

    chosen, _ = apply_rules(candidate_set, [Exposure({F: 0.99})])

    assert chosen.tolist() == [[2, 3, 0, 1]]
