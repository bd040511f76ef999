"""Each rerank rule on candidates that can be counted by hand."""

import numpy as np
import polars as pl
import pytest

from recsys.errors import BadRecipe
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule, rule_class, rule_names
from recsys.rerank.lists import full_lists, rerank
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.debias import Debias
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure
from recsys.rerank.rules.fair_top_k import FairTopK
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

from .conftest import ARTISTS, Ranked, listed


def test_without_rules_lists_are_the_first_k(context: RerankContext, ranked: Ranked) -> None:
    """Without rules, only the recommender's order counts."""
    lists = rerank(ranked(ann="a2 b1 x1 c1", bob="b2 a3"), [], context, 3)

    assert (listed(lists, "ann"), listed(lists, "bob")) == ("a2 b1 x1", "b2 a3")
    assert lists["rank"].to_list() == [1, 2, 3, 1, 2]


def test_an_artist_is_capped_and_unknown_artists_are_not(context: RerankContext, ranked: Ranked) -> None:
    """Ada's third track is left out for the next one; tracks without an artist do not count as one artist's."""
    lists = rerank(ranked(ann="a1 a2 x1 x2 a3 b1"), [ArtistCap(2)], context, 5)

    assert listed(lists, "ann") == "a1 a2 x1 x2 b1"
    assert listed(rerank(ranked(ann="a1 a2 x1 x2 a3 b1"), [ArtistCap(1)], context, 4), "ann") == "a1 x1 x2 b1"


def test_tracks_of_an_artist_are_kept_apart_where_possible(context: RerankContext, ranked: Ranked) -> None:
    """At least one other track stands between two tracks by ada, until only her tracks are left."""
    lists = rerank(ranked(ann="a1 a2 b1 a3 c1", bob="a1 a2 b1 a3"), [ArtistCap(3, apart=1)], context, 5)

    assert listed(lists, "ann") == "a1 b1 a2 c1 a3"
    assert listed(lists, "bob") == "a1 b1 a2 a3"


def test_recently_heard_and_skipped_tracks_are_left_out(context: RerankContext, ranked: Ranked) -> None:
    """Ann heard c1 50 days ago and a1 two days ago; bob skipped b1, which never returns."""
    lists = rerank(ranked(ann="a1 c1 b1", bob="b1 a1 c1"), [NotHeard(30)], context, 3)

    assert (listed(lists, "ann"), listed(lists, "bob")) == ("c1 b1", "a1 c1")


def test_diversity_prefers_another_kind_of_track(context: RerankContext, ranked: Ranked) -> None:
    """After a1, ben's jazz is preferred to more of ada; with weight 0 nothing changes."""
    candidates = ranked(ann="a1 a2 a3 b2")

    assert listed(rerank(candidates, [Diversity(1.0)], context, 2), "ann") == "a1 b2"
    assert listed(rerank(candidates, [Diversity(0.0)], context, 4), "ann") == "a1 a2 a3 b2"


def test_calibration_gives_the_listeners_genre_mix(context: RerankContext, ranked: Ranked) -> None:
    """Ann plays half rock, half jazz; bob plays rock only; dan has no history and no genre mix."""
    same = "a1 a2 a3 b1 b2 c1"
    lists = rerank(ranked(ann=same, bob=same, dan=same), [Calibration(2.0)], context, 4)

    assert listed(lists, "ann") == "a1 b2 a2 c1"
    assert listed(lists, "bob") == listed(lists, "dan") == "a1 a2 a3 b1"


def test_a_track_without_a_genre_does_not_change_the_mix(context: RerankContext, ranked: Ranked) -> None:
    """Bob plays rock: a track of unknown genre is ranked by relevance beside rock, and folk comes after both."""
    lists = rerank(ranked(bob="a1 x2 x1 a2"), [Calibration(0.5)], context, 4)

    assert listed(lists, "bob") == "a1 x1 a2 x2"


def test_popularity_follows_the_listener(context: RerankContext, ranked: Ranked) -> None:
    """Bob likes only the most popular track, so popular tracks come first; dan has no history, nothing changes."""
    lists = rerank(ranked(bob="a2 a3 c1 a1", dan="a2 a3 c1 a1"), [Popularity(2.0)], context, 2)

    assert (listed(lists, "bob"), listed(lists, "dan")) == ("a1 c1", "a2 a3")


def test_debiasing_divides_relevance_by_popularity(context: RerankContext, ranked: Ranked) -> None:
    """a1, c1 and b2 have 3, 2 and 0 listeners; of their relevance 1, 3/4 and 1/2, b2 has the most left by 1/3."""
    candidates = ranked(dan="a1 x1 c1 a2 b2 x2 a3 b1").filter(pl.col("track_id").is_in(["a1", "c1", "b2", "b1"]))
    scored = candidates.with_columns(score=pl.Series([1, 0.75, 0.5, 0], dtype=pl.Float32), rank=pl.Series([1, 2, 3, 4]))

    assert listed(rerank(scored, [Debias(0.0)], context, 3), "dan") == "a1 c1 b2"
    assert listed(rerank(scored, [Debias(0.5)], context, 3), "dan") == "a1 c1 b2"  # .58, .53, .5
    assert listed(rerank(scored, [Debias(1.0)], context, 3), "dan") == "b2 c1 a1"  # .33, .38, .5


def test_fair_top_k_moves_protected_tracks_up_as_late_as_possible(context: RerankContext, ranked: Ranked) -> None:
    """With share 0.5 and alpha 0.1 adjusted for k = 4, one of four must be protected, if a candidate is."""
    rule = FairTopK("gender=f", 0.5, 0.1)

    assert listed(rerank(ranked(ann="a1 a2 a3 b1 x1 b2 c1"), [rule], context, 4), "ann") == "a1 a2 a3 b2"
    assert listed(rerank(ranked(ann="a1 a2 a3 b1"), [rule], context, 4), "ann") == "a1 a2 a3 b1"


def test_a_required_track_must_also_be_allowed(context: RerankContext, ranked: Ranked) -> None:
    """Cy heard c1 recently, so b2 is the protected track."""
    lists = rerank(ranked(cy="a2 a3 b1 c1 x1 b2"), [FairTopK("gender=f", 0.5), NotHeard(30)], context, 4)

    assert listed(lists, "cy") == "a2 a3 b1 b2"


def test_fairness_has_precedence_over_keeping_artists_apart(context: RerankContext, ranked: Ranked) -> None:
    """The only protected track is by the previous track's artist: it is chosen, whatever the order of the rules."""
    rules = [ArtistCap(3, apart=1), FairTopK("gender=f", 0.5)]
    candidates = ranked(ann="a1 a2 b1 b2 a3")

    assert listed(rerank(candidates, rules, context, 4), "ann") == "a1 b1 a2 b2"
    assert listed(rerank(ranked(ann="a1 x1 b1 b2 a2"), rules[::-1], context, 4), "ann") == "a1 x1 b1 b2"


def test_lists_are_full_where_the_catalogue_allows_it(context: RerankContext, ranked: Ranked) -> None:
    """Where too few candidates are allowed, more are fetched, for listeners with a short list only."""
    calls = []

    def more(listeners: pl.Series, n: int) -> pl.DataFrame:
        calls.append((listeners.to_list(), n))
        return ranked(**dict.fromkeys(listeners, " ".join(list(ARTISTS)[:n])))

    lists, n_widened = full_lists(ranked(ann="a1 a2 a3", bob="a1 b1 c1"), more, [ArtistCap(1)], context, 3)

    assert (calls, n_widened) == ([(["ann"], 12)], 1)
    assert (listed(lists, "ann"), listed(lists, "bob")) == ("a1 b1 c1", "a1 b1 c1")
    assert lists["user_id"].to_list() == ["ann"] * 3 + ["bob"] * 3


def test_a_list_stays_short_where_the_whole_catalogue_is_too_small(context: RerankContext, ranked: Ranked) -> None:
    """The search ends once the candidates are the whole catalogue."""
    whole = "a1 a2 a3 b1 b2 c1 x1 x2"
    lists, _ = full_lists(ranked(ann=whole), lambda _ids, _n: ranked(ann=whole), [ArtistCap(1)], context, 8)

    assert listed(lists, "ann") == "a1 b1 c1 x1 x2"


def test_other_columns_of_the_candidates_are_kept(context: RerankContext, ranked: Ranked) -> None:
    """Score, fallback and segment stay with their row."""
    candidates = ranked(ann="a1 a2 b1").with_columns(segment=pl.lit("everybody"))

    lists = rerank(candidates, [ArtistCap(1)], context, 2)

    assert lists.columns == candidates.columns
    assert lists["score"].to_list() == pytest.approx([1.0, 0.8])


def test_relevance_is_comparable_between_listeners(context: RerankContext, ranked: Ranked) -> None:
    """On any scale of scores, the best candidate has 1 and the last 0; equal scores all have 1."""
    candidates = pl.concat(
        [
            ranked(ann="a1 a2 a3").with_columns(score=pl.Series([900, 450, 0], dtype=pl.Float32)),
            ranked(bob="a1 a2").with_columns(score=pl.Series([-7, -7], dtype=pl.Float32)),
        ]
    )

    assert CandidateSet.of(candidates, context, 2).relevance.tolist() == [[1, 0.5, 0], [1, 1, 0]]


@pytest.mark.parametrize("name", rule_names())
def test_every_file_of_the_folder_is_a_rule(name: str) -> None:
    """A rule is found by the name of its file and has defaults for all settings."""
    assert issubclass(rule_class(name), RerankRule)
    assert isinstance(rule_class(name)(), RerankRule)


def test_an_unknown_rule_is_refused_with_a_hint() -> None:
    """The nearest known rule is suggested."""
    with pytest.raises(BadRecipe, match="Did you mean 'diversity'"):
        rule_class("diversety")


@pytest.mark.parametrize("group", ["gendre=f", "gender", "f"])
def test_a_group_of_an_unknown_kind_is_refused(context: RerankContext, ranked: Ranked, group: str) -> None:
    """The message lists the known kinds."""
    with pytest.raises(BadRecipe, match=r"expected 'kind=value' with a kind of gender"):
        rerank(ranked(ann="a1 a2"), [Exposure({group: 0.2})], context, 2)


def test_a_group_without_tracks_has_no_members(context: RerankContext) -> None:
    """A value that no track has is valid; 'unknown' is a group like any other."""
    assert not context.members("gender=nonbinary").any()
    assert np.flatnonzero(context.members("gender=unknown")).tolist() == [6]
