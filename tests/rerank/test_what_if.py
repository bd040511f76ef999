"""What-if analysis of exposure targets."""

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.errors import BadRecipe
from recsys.rerank.base import CandidateSet, RerankContext
from recsys.rerank.what_if import Outcome, what_if

IDS = [f"t{number:02}" for number in range(40)]
WOMEN = set(IDS[25:])


@pytest.fixture
def candidates() -> CandidateSet:
    """Forty listeners with forty candidates each; the last fifteen tracks, by women, have lower scores."""
    users, rng, rows = [f"u{number:02}" for number in range(40)], np.random.default_rng(7), []
    for user in users:
        score = {track: rng.random() + (track not in WOMEN) for track in IDS}
        best = sorted(IDS, key=score.__getitem__, reverse=True)
        rows += [(user, track, rank, score[track]) for rank, track in enumerate(best, start=1)]
    candidates = pl.DataFrame(rows, ["user_id", "track_id", "rank", "score"], orient="row")
    groups = pl.DataFrame({"track_id": IDS, "gender": ["female" if track in WOMEN else "male" for track in IDS]})
    interactions = Interactions.of(pl.DataFrame({"user_id": users, "track_id": IDS, "strength": 1.0}))
    return CandidateSet.of(candidates, RerankContext.of(interactions, groups), 10)


def test_without_a_target_lists_are_the_recommenders_own(candidates: CandidateSet) -> None:
    """The relevance ratio is 1, and no track changes."""
    (own,) = what_if(candidates, "gender=female", [0.0])

    assert own == Outcome(share=own.share, relevance_ratio=1.0, changed_share=0.0)
    assert own.share < 0.1


def test_a_higher_target_shows_more_of_the_group_and_keeps_less(candidates: CandidateSet) -> None:
    """Each target is met, and relevance falls as the target rises."""
    outcomes = what_if(candidates, "gender=female", [0.0, 0.2, 0.4])

    assert [outcome.share for outcome in outcomes[1:]] == pytest.approx([0.2, 0.4], abs=0.02)
    assert outcomes[0].relevance_ratio > outcomes[1].relevance_ratio > outcomes[2].relevance_ratio
    assert 0 < outcomes[1].changed_share < outcomes[2].changed_share


def test_an_unknown_kind_of_group_is_refused(candidates: CandidateSet) -> None:
    """The message lists the known kinds."""
    with pytest.raises(BadRecipe, match="gender"):
        what_if(candidates, "colour=blue", [0.1])


@pytest.mark.parametrize("target", [-0.1, 1.1])
def test_a_target_that_is_no_share_is_refused(candidates: CandidateSet, target: float) -> None:
    """Neither is treated as the nearest share."""
    with pytest.raises(BadRecipe, match="from 0 up to 1"):
        what_if(candidates, "gender=female", [target])
