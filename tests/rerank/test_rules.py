"""Each rule on a night that can be counted by hand."""

import numpy as np
import polars as pl
import pytest

from recsys.errors import BadRecipe
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule, rule_class, rule_names
from recsys.rerank.lists import full_lists, rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure
from recsys.rerank.rules.fair_top_k import FairTopK
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

from .conftest import ARTISTS, Ranked, listed


def test_without_stages_lists_are_the_first_k(context: RerankContext, ranked: Ranked) -> None:
    """Nothing to choose by but the recommender's order."""
    lists = rerank(ranked(ann="a2 b1 x1 c1", bob="b2 a3"), [], context, 3)

    assert (listed(lists, "ann"), listed(lists, "bob")) == ("a2 b1 x1", "b2 a3")
    assert lists["rank"].to_list() == [1, 2, 3, 1, 2]


def test_an_artist_is_capped_and_the_unknown_are_not_one_artist(context: RerankContext, ranked: Ranked) -> None:
    """The third of ada's tracks gives way to the next; two tracks without an artist are of two."""
    lists = rerank(ranked(ann="a1 a2 x1 x2 a3 b1"), [ArtistCap(2)], context, 5)

    assert listed(lists, "ann") == "a1 a2 x1 x2 b1"
    assert listed(rerank(ranked(ann="a1 a2 x1 x2 a3 b1"), [ArtistCap(1)], context, 4), "ann") == "a1 x1 x2 b1"


def test_two_of_an_artist_stand_apart_where_others_can_stand_between(context: RerankContext, ranked: Ranked) -> None:
    """One between two of ada's; when nobody else is left, hers follow one another."""
    lists = rerank(ranked(ann="a1 a2 b1 a3 c1", bob="a1 a2 b1 a3"), [ArtistCap(3, apart=1)], context, 5)

    assert listed(lists, "ann") == "a1 b1 a2 c1 a3"
    assert listed(lists, "bob") == "a1 b1 a2 a3"


def test_what_was_heard_lately_or_only_skipped_does_not_return(context: RerankContext, ranked: Ranked) -> None:
    """Ann heard c1 50 days ago and a1 two; bob skipped b1, which never returns."""
    lists = rerank(ranked(ann="a1 c1 b1", bob="b1 a1 c1"), [NotHeard(30)], context, 3)

    assert (listed(lists, "ann"), listed(lists, "bob")) == ("c1 b1", "a1 c1")


def test_diversity_puts_another_kind_between(context: RerankContext, ranked: Ranked) -> None:
    """After a1, more of ada is worth less than ben's jazz; with no weight nothing changes."""
    candidates = ranked(ann="a1 a2 a3 b2")

    assert listed(rerank(candidates, [Diversity(1.0)], context, 2), "ann") == "a1 b2"
    assert listed(rerank(candidates, [Diversity(0.0)], context, 4), "ann") == "a1 a2 a3 b2"


def test_calibration_gives_half_and_half_to_who_plays_half_and_half(context: RerankContext, ranked: Ranked) -> None:
    """Ann plays rock and jazz alike; bob plays rock alone; dan is unknown and has no mix."""
    same = "a1 a2 a3 b1 b2 c1"
    lists = rerank(ranked(ann=same, bob=same, dan=same), [Calibration(2.0)], context, 4)

    assert listed(lists, "ann") == "a1 b2 a2 c1"
    assert listed(lists, "bob") == listed(lists, "dan") == "a1 a2 a3 b1"


def test_a_track_without_a_genre_leaves_the_mix_as_it_is(context: RerankContext, ranked: Ranked) -> None:
    """For bob, who plays rock: folk is worse than nothing known, which is worse than rock only by relevance."""
    lists = rerank(ranked(bob="a1 x2 x1 a2"), [Calibration(0.5)], context, 4)

    assert listed(lists, "bob") == "a1 x1 a2 x2"


def test_popularity_follows_the_listener(context: RerankContext, ranked: Ranked) -> None:
    """Bob's only track is everybody's: what nobody played moves back behind what is well known; dan has no track."""
    lists = rerank(ranked(bob="a2 a3 c1 a1", dan="a2 a3 c1 a1"), [Popularity(2.0)], context, 2)

    assert (listed(lists, "bob"), listed(lists, "dan")) == ("a1 c1", "a2 a3")


def test_fair_top_k_brings_the_protected_forward_no_further_than_needed(context: RerankContext, ranked: Ranked) -> None:
    """Half protected, alpha 0.1 lowered for four places: one of the first four must be, and where none is, none is."""
    rule = FairTopK("gender=f", 0.5, 0.1)

    assert listed(rerank(ranked(ann="a1 a2 a3 b1 x1 b2 c1"), [rule], context, 4), "ann") == "a1 a2 a3 b2"
    assert listed(rerank(ranked(ann="a1 a2 a3 b1"), [rule], context, 4), "ann") == "a1 a2 a3 b1"


def test_the_protected_come_only_from_what_is_allowed(context: RerankContext, ranked: Ranked) -> None:
    """A demand never breaks a ban: c1 was heard lately, so that b2 stands for the protected."""
    lists = rerank(ranked(cy="a2 a3 b1 c1 x1 b2"), [FairTopK("gender=f", 0.5), NotHeard(30)], context, 4)

    assert listed(lists, "cy") == "a2 a3 b1 b2"


def test_fairness_is_more_urgent_than_distance(context: RerankContext, ranked: Ranked) -> None:
    """A protected track must come, and the only one is by who stood there last: it comes, whatever the order."""
    rules = [ArtistCap(3, apart=1), FairTopK("gender=f", 0.5)]
    candidates = ranked(ann="a1 a2 b1 b2 a3")

    assert listed(rerank(candidates, rules, context, 4), "ann") == "a1 b1 a2 b2"
    assert listed(rerank(ranked(ann="a1 x1 b1 b2 a2"), rules[::-1], context, 4), "ann") == "a1 x1 b1 b2"


def test_lists_are_full_where_the_catalogue_allows_it(context: RerankContext, ranked: Ranked) -> None:
    """Too few of the first candidates are allowed: more are asked for, of the short listeners only."""
    asked = []

    def ask(listeners: pl.Series, n: int) -> pl.DataFrame:
        asked.append((listeners.to_list(), n))
        return ranked(**dict.fromkeys(listeners, " ".join(list(ARTISTS)[:n])))

    lists, n_asked = full_lists(ranked(ann="a1 a2 a3", bob="a1 b1 c1"), ask, [ArtistCap(1)], context, 3)

    assert (asked, n_asked) == ([(["ann"], 12)], 1)
    assert (listed(lists, "ann"), listed(lists, "bob")) == ("a1 b1 c1", "a1 b1 c1")
    assert lists["user_id"].to_list() == ["ann"] * 3 + ["bob"] * 3


def test_a_list_stays_short_where_the_whole_catalogue_is_too_small(context: RerankContext, ranked: Ranked) -> None:
    """Nothing is asked for twice once everything was asked for."""
    whole = "a1 a2 a3 b1 b2 c1 x1 x2"
    lists, _ = full_lists(ranked(ann=whole), lambda _ids, _n: ranked(ann=whole), [ArtistCap(1)], context, 8)

    assert listed(lists, "ann") == "a1 b1 c1 x1 x2"


def test_columns_of_the_candidates_come_along(context: RerankContext, ranked: Ranked) -> None:
    """Score, fallback and segment of a row stay with it."""
    candidates = ranked(ann="a1 a2 b1").with_columns(segment=pl.lit("everybody"))

    lists = rerank(candidates, [ArtistCap(1)], context, 2)

    assert lists.columns == candidates.columns
    assert lists["score"].to_list() == pytest.approx([1.0, 0.8])


def test_relevance_is_comparable_between_listeners(context: RerankContext, ranked: Ranked) -> None:
    """Whatever the scale of the scores: 1 the best, 0 the last; 1 for a single one, or where all are equal."""
    candidates = pl.concat(
        [
            ranked(ann="a1 a2 a3").with_columns(score=pl.Series([900, 450, 0], dtype=pl.Float32)),
            ranked(bob="a1 a2").with_columns(score=pl.Series([-7, -7], dtype=pl.Float32)),
        ]
    )

    assert CandidateSet.of(candidates, context, 2).relevance.tolist() == [[1, 0.5, 0], [1, 1, 0]]


@pytest.mark.parametrize("name", rule_names())
def test_every_file_of_the_folder_is_a_stage(name: str) -> None:
    """A rule is found by its file's name and works as it comes."""
    assert issubclass(rule_class(name), RerankRule)
    assert isinstance(rule_class(name)(), RerankRule)


def test_an_unknown_stage_is_refused_with_the_nearest() -> None:
    """A recipe's misspelt rule."""
    with pytest.raises(BadRecipe, match="Did you mean 'diversity'"):
        rule_class("diversety")


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("artist_cap", {"tracks": 0}),
        ("artist_cap", {"apart": -1}),
        ("not_heard", {"days": 0}),
        ("diversity", {"weight": -1}),
        ("calibration", {"weight": -1}),
        ("popularity", {"weight": -1}),
        ("fair_top_k", {"share": 1.5}),
        ("fair_top_k", {"alpha": 0}),
        ("exposure", {"targets": {"gender=f": 2}}),
        ("exposure", {"targets": {"gender=f": "half"}}),
    ],
)
def test_settings_that_mean_nothing_are_refused(name: str, settings: dict[str, object]) -> None:
    """Each with its section of the recipe."""
    with pytest.raises(BadRecipe, match=rf"\[rerank\.{name}\]"):
        rule_class(name)(**settings)


@pytest.mark.parametrize("group", ["gendre=f", "gender", "f"])
def test_a_group_of_no_kind_is_refused(context: RerankContext, ranked: Ranked, group: str) -> None:
    """The message names the kinds that there are."""
    with pytest.raises(BadRecipe, match=r"expected 'kind=value', of gender"):
        rerank(ranked(ann="a1 a2"), [Exposure({group: 0.2})], context, 2)


def test_a_group_that_nobody_is_in_tonight_has_no_members(context: RerankContext) -> None:
    """A value that no track has is no mistake; unknown is a group like any other."""
    assert not context.members("gender=nonbinary").any()
    assert np.flatnonzero(context.members("gender=unknown")).tolist() == [6]
