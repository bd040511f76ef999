"""Exposure targets: shares by hand, the share reached, and the bound that no other lists exceed."""

from itertools import permutations, product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.evaluate.exposure import discounts
from recsys.rerank.base import CandidateSet, RerankContext
from recsys.rerank.lists import chosen_among
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure, Priced, dual_bound, shares

from ..conftest import Ranked, drawn_night

F = "gender=f"


def relevance(candidate_set: CandidateSet, chosen: np.ndarray) -> float:
    """Discounted relevance of lists."""
    shown = np.take_along_axis(candidate_set.relevance, np.maximum(chosen, 0), axis=1)
    return float((np.where(chosen >= 0, shown, 0) * discounts(candidate_set.k)).sum())


def test_shares_by_hand(context: RerankContext, ranked: Ranked) -> None:
    """Places weigh 1 and 0.63: b2 stands first for ann and second for bob, so that f has half."""
    candidate_set = CandidateSet.of(ranked(ann="b2 a1", bob="a1 c1"), context, 2)
    chosen = np.array([[0, 1], [0, 1]])

    assert shares(candidate_set, chosen, context.members(F)[:, None])[0] == pytest.approx(0.5)
    assert shares(candidate_set, chosen[:, ::-1], context.members("gender=m")[:, None])[0] == pytest.approx(0.5)
    assert np.isnan(shares(candidate_set, np.full((2, 2), -1), context.members(F)[:, None])[0])


def test_a_target_that_is_met_anyway_costs_nothing(context: RerankContext, ranked: Ranked) -> None:
    """More than the target is fine: the lists stay as they are."""
    candidate_set = CandidateSet.of(ranked(ann="b2 a1 c1", bob="a1 b2 c1"), context, 2)

    chosen, _ = chosen_among(candidate_set, [Exposure({F: 0.2})])

    assert chosen.tolist() == [[0, 1], [0, 1]]


def test_without_targets_nothing_changes(context: RerankContext, ranked: Ranked) -> None:
    """A rule that asks for nothing."""
    candidate_set = CandidateSet.of(ranked(ann="a1 c1 b1"), context, 2)

    assert chosen_among(candidate_set, [Exposure()])[0].tolist() == [[0, 1]]


def test_the_cheapest_listener_pays_first(context: RerankContext, ranked: Ranked) -> None:
    """Ann's c1 is hardly worse than her a2, bob's far worse: hers rises."""
    candidates = ranked(ann="a1 c1 a2 b1", bob="a1 a2 a3 c1").with_columns(
        score=pl.Series([1.0, 0.99, 0.5, 0.0, 1.0, 0.9, 0.8, 0.0], dtype=pl.Float32)
    )
    candidate_set = CandidateSet.of(candidates, context, 1)

    chosen, _ = chosen_among(candidate_set, [Exposure({F: 0.5})])

    assert chosen.tolist() == [[1], [0]]


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), target=st.floats(0.2, 0.6))
def test_the_share_is_met_to_within_one_list(seed: int, target: float) -> None:
    """Below the target by no more than what one listener sees, where candidates allow it; above it only if it was."""
    context, candidates = drawn_night(seed, n_users=40)
    candidate_set, members = CandidateSet.of(candidates, context, 6), context.members(F)[:, None]
    before = shares(candidate_set, chosen_among(candidate_set, [])[0], members)[0]

    got = shares(candidate_set, chosen_among(candidate_set, [Exposure({F: target})])[0], members)[0]

    most = shares(candidate_set, chosen_among(candidate_set, [Exposure({F: 1.0})])[0], members)[0]
    assert got >= min(target, most) - 1 / 40
    assert got <= max(target, before) + 1 / 40


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000), target=st.floats(0.25, 0.5))
def test_the_lists_are_nearly_as_relevant_as_any_that_meet_the_target(seed: int, target: float) -> None:
    """Within what one listener's list is worth of the dual bound, which is above every list that meets it."""
    context, candidates = drawn_night(seed, n_users=40)
    candidate_set, members = CandidateSet.of(candidates, context, 6), context.members(F)[:, None]

    chosen, (priced,) = chosen_among(candidate_set, [Exposure({F: target})])

    assert isinstance(priced, Priced)
    bound = dual_bound(candidate_set, priced)
    if shares(candidate_set, chosen, members)[0] >= target:
        assert relevance(candidate_set, chosen) <= bound + 1e-5
    assert relevance(candidate_set, chosen) >= bound - 2 * discounts(6).sum()


def test_no_lists_whatsoever_exceed_the_bound(context: RerankContext, ranked: Ranked) -> None:
    """All pairs of lists of two listeners that meet the target, counted: the bound is above the best of them."""
    candidate_set = CandidateSet.of(ranked(ann="a1 b1 b2 a2", bob="a1 a2 a3 c1"), context, 2)
    members, target = context.members(F)[:, None], 0.4
    _, (priced,) = chosen_among(candidate_set, [Exposure({F: target})])
    assert isinstance(priced, Priced)

    every = [np.array(lists) for lists in product(permutations(range(4), 2), repeat=2)]
    meeting = [relevance(candidate_set, lists) for lists in every if shares(candidate_set, lists, members)[0] >= target]

    assert meeting
    assert max(meeting) <= dual_bound(candidate_set, priced) + 1e-6


def test_listeners_of_one_list_do_not_all_jump_at_once(context: RerankContext, ranked: Ranked) -> None:
    """Ten listeners of the same fallback list: at one price either all or none show c1 first; half of them do."""
    candidate_set = CandidateSet.of(ranked(**{f"u{at}": "a1 c1 a2" for at in range(10)}), context, 1)

    chosen, _ = chosen_among(candidate_set, [Exposure({F: 0.5})])

    assert (chosen == 1).sum() == 5


def test_two_targets_are_met_together() -> None:
    """Groups that overlap or compete have a price each."""
    context, candidates = drawn_night(5, n_users=60)
    candidate_set = CandidateSet.of(candidates, context, 6)
    genres = RerankContext(context.interactions, context.interactions.track_features)
    candidate_set = CandidateSet.of(candidates, genres, 6)
    targets = {"genre=g1": 0.35, "genre=g2": 0.35}
    members = np.stack([genres.members(group) for group in targets], axis=1)
    assert (shares(candidate_set, chosen_among(candidate_set, [])[0], members) < 0.3).all()

    got = shares(candidate_set, chosen_among(candidate_set, [Exposure(targets)])[0], members)

    assert got == pytest.approx([0.35, 0.35], abs=0.02)


def test_the_target_is_met_beside_other_stages() -> None:
    """A cap and diversity pull the lists elsewhere; aims move until the share is what was asked for."""
    context, candidates = drawn_night(8, n_users=100)
    candidate_set, members = CandidateSet.of(candidates, context, 6), context.members(F)[:, None]

    chosen, _ = chosen_among(candidate_set, [ArtistCap(1), Diversity(0.3), Exposure({F: 0.45})])

    assert shares(candidate_set, chosen, members)[0] == pytest.approx(0.45, abs=0.01)


def test_what_no_candidates_allow_is_met_as_far_as_they_do(context: RerankContext, ranked: Ranked) -> None:
    """Two f among four candidates of k = 4: every list shows both first, and no price could show more."""
    candidate_set = CandidateSet.of(ranked(ann="a1 a2 b2 c1"), context, 4)

    chosen, _ = chosen_among(candidate_set, [Exposure({F: 0.99})])

    assert chosen.tolist() == [[2, 3, 0, 1]]
