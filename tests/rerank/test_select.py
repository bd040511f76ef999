"""The greedy selection: properties for any rules, and a comparison with a plain loop."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.rerank.plain import plain_choice
from recsys.rerank.base import CandidateSet, RerankRule
from recsys.rerank.lists import apply_rules, rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.debias import Debias
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure
from recsys.rerank.rules.fair_top_k import FairTopK, min_protected
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

from .conftest import random_candidates

K = 8
RULES: tuple[RerankRule, ...] = (
    ArtistCap(2, apart=2),
    NotHeard(30),
    Diversity(0.3),
    Calibration(0.1),
    Popularity(0.2),
    FairTopK("gender=f", 0.4),
    Exposure({"gender=f": 0.35}),
    Debias(0.3),
)


@pytest.mark.parametrize("rules", [[rule] for rule in RULES] + [list(RULES)], ids=lambda rules: type(rules[0]).__name__)
def test_the_selection_equals_a_plain_loop(rules: list[RerankRule]) -> None:
    """Selection by blocks in float32 equals a loop over listeners in float64, for each rule and for all together."""
    for seed in range(3):
        context, candidates = random_candidates(seed)
        candidate_set = CandidateSet.of(candidates, context, K)

        chosen, prepared = apply_rules(candidate_set, rules)

        np.testing.assert_array_equal(chosen, plain_choice(candidate_set, prepared))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), chosen=st.sets(st.sampled_from(range(len(RULES)))))
def test_any_rules_give_each_listener_k_different_candidates(seed: int, chosen: set[int]) -> None:
    """Lists hold the listener's own candidates, none twice, keep the cap, and have k tracks where rules allow it."""
    context, candidates = random_candidates(seed)

    lists = rerank(candidates, [RULES[number] for number in sorted(chosen)], context, K)

    assert lists.select("user_id", "track_id").is_duplicated().sum() == 0
    assert lists.join(candidates, on=["user_id", "track_id"], how="anti").is_empty()
    per_user = lists.group_by("user_id", maintain_order=True).agg("rank")["rank"].to_list()
    assert all(ranks == list(range(1, len(ranks) + 1)) for ranks in per_user)
    if chosen <= {2, 3, 4, 5, 6, 7}:  # the rules that exclude no candidate
        assert {len(ranks) for ranks in per_user} == {K}
    if 0 in chosen:
        artists = pl.DataFrame({"track_id": context.interactions.tracks.ids(), "artist": context.artists}).filter(
            pl.col("artist") >= 0
        )
        assert lists.join(artists, on="track_id").group_by("user_id", "artist").len()["len"].max() <= 2  # type: ignore[operator]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_rules_does_not_matter(seed: int) -> None:
    """Rules in another order give the same lists."""
    context, candidates = random_candidates(seed)

    assert rerank(candidates, RULES, context, K).equals(rerank(candidates, RULES[::-1], context, K))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9))
def test_every_prefix_of_a_fair_list_has_its_protected_tracks(seed: int, share: float) -> None:
    """Each prefix holds at least m protected tracks, or all that are among the candidates."""
    context, candidates = random_candidates(seed)
    of_group = pl.DataFrame(
        {"track_id": context.interactions.tracks.ids(), "f": context.members("gender=f").astype(int)}
    )
    n_protected = candidates.join(of_group, on="track_id").group_by("user_id").agg(pl.col("f").sum().alias("n"))

    lists = rerank(candidates, [FairTopK("gender=f", share)], context, K).join(of_group, on="track_id")

    least = pl.DataFrame(
        {"rank": range(1, K + 1), "least": min_protected(K, share, 0.1)}, {"rank": pl.Int32, "least": pl.Int64}
    )
    counted = lists.sort("user_id", "rank").with_columns(pl.col("f").cum_sum().over("user_id"))
    checked = counted.join(least, on="rank").join(n_protected, on="user_id")
    assert (checked["f"] >= checked.select(pl.min_horizontal("least", "n")).to_series()).all()


def test_the_selection_is_deterministic() -> None:
    """The same candidates give the same lists."""
    context, candidates = random_candidates(3)

    assert rerank(candidates, RULES, context, K).equals(rerank(candidates, RULES, context, K))
