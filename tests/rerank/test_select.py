"""The choice itself: what holds for any rules, and that it is the plain one."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.rerank.plain import plain_choice
from recsys.rerank.base import CandidateSet, RerankRule
from recsys.rerank.lists import chosen_among, rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure
from recsys.rerank.rules.fair_top_k import FairTopK, least_protected
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

from .conftest import drawn_night

K = 8
STAGES: tuple[RerankRule, ...] = (
    ArtistCap(2, apart=2),
    NotHeard(30),
    Diversity(0.3),
    Calibration(0.1),
    Popularity(0.2),
    FairTopK("gender=f", 0.4),
    Exposure({"gender=f": 0.35}),
)


@pytest.mark.parametrize("rules", [[rule] for rule in STAGES] + [list(STAGES)], ids=lambda each: type(each[0]).__name__)
def test_the_choice_is_the_plain_one(rules: list[RerankRule]) -> None:
    """Blocks and float32 choose what a loop over listeners in float64 chooses, alone and all together."""
    for seed in range(3):
        context, candidates = drawn_night(seed)
        candidate_set = CandidateSet.of(candidates, context, K)

        chosen, prepared = chosen_among(candidate_set, rules)

        np.testing.assert_array_equal(chosen, plain_choice(candidate_set, prepared))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), chosen=st.sets(st.sampled_from(range(len(STAGES)))))
def test_any_stages_give_each_listener_k_different_candidates(seed: int, chosen: set[int]) -> None:
    """Composed in any number: candidates of the listener's own, none twice, no cap broken, and all k where k exist."""
    context, candidates = drawn_night(seed)

    lists = rerank(candidates, [STAGES[at] for at in sorted(chosen)], context, K)

    assert lists.select("user_id", "track_id").is_duplicated().sum() == 0
    assert lists.join(candidates, on=["user_id", "track_id"], how="anti").is_empty()
    per_user = lists.group_by("user_id", maintain_order=True).agg("rank")["rank"].to_list()
    assert all(ranks == list(range(1, len(ranks) + 1)) for ranks in per_user)
    if chosen <= {2, 3, 4, 5, 6}:  # those that bar nothing
        assert {len(ranks) for ranks in per_user} == {K}
    if 0 in chosen:
        artists = pl.DataFrame({"track_id": context.interactions.tracks.ids(), "artist": context.artists}).filter(
            pl.col("artist") >= 0
        )
        assert lists.join(artists, on="track_id").group_by("user_id", "artist").len()["len"].max() <= 2  # type: ignore[operator]


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_stages_means_nothing(seed: int) -> None:
    """All take part in one choice."""
    context, candidates = drawn_night(seed)

    assert rerank(candidates, STAGES, context, K).equals(rerank(candidates, STAGES[::-1], context, K))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), share=st.floats(0.1, 0.9))
def test_every_first_part_of_a_fair_list_has_its_protected(seed: int, share: float) -> None:
    """At each prefix at least m, or all the protected that there are among the candidates."""
    context, candidates = drawn_night(seed)
    of_group = pl.DataFrame(
        {"track_id": context.interactions.tracks.ids(), "f": context.members("gender=f").astype(int)}
    )
    n_there = candidates.join(of_group, on="track_id").group_by("user_id").agg(pl.col("f").sum().alias("n"))

    lists = rerank(candidates, [FairTopK("gender=f", share)], context, K).join(of_group, on="track_id")

    least = pl.DataFrame(
        {"rank": range(1, K + 1), "least": least_protected(K, share, 0.1)}, {"rank": pl.Int32, "least": pl.Int64}
    )
    counted = lists.sort("user_id", "rank").with_columns(pl.col("f").cum_sum().over("user_id"))
    checked = counted.join(least, on="rank").join(n_there, on="user_id")
    assert (checked["f"] >= checked.select(pl.min_horizontal("least", "n")).to_series()).all()


def test_a_night_is_chosen_the_same_way_twice() -> None:
    """No dice."""
    context, candidates = drawn_night(3)

    assert rerank(candidates, STAGES, context, K).equals(rerank(candidates, STAGES, context, K))
