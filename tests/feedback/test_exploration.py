"""Exploration slots: their positions, what fills them, and that propensities are right."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.feedback.bandits import Posterior
from recsys.feedback.exploration import (
    FEATURES,
    ExplorationSettings,
    describe_options,
    exploration_log,
    explore,
    learn_posterior,
)
from recsys.rerank.base import CandidateSet, RerankContext

TRACKS = [f"t{number:02}" for number in range(30)]
SETTINGS = ExplorationSettings(share=0.2, pool=5)


@pytest.fixture(scope="module")
def context() -> RerankContext:
    """Ann likes t00 (by ada, rock) and t29; bob likes t00; t01 to t19 have one listener each, t20 to t28 none."""
    catalogue = pl.DataFrame(
        {
            "track_id": TRACKS,
            "artist": ["ada" if number < 3 else f"a{number}" if number < 28 else None for number in range(30)],
            "genre": ["rock" if number % 2 == 0 else "jazz" for number in range(30)],
        }
    )
    likes = [
        ("ann", "t00"),
        ("ann", "t29"),
        ("bob", "t00"),
        *((f"u{number}", TRACKS[number]) for number in range(1, 20)),
    ]
    pairs = pl.DataFrame(likes, ["user_id", "track_id"], orient="row").with_columns(strength=pl.lit(1.0))
    return RerankContext.of(Interactions.of(pairs, catalogue=catalogue))


def long_lists(**lengths: int) -> pl.DataFrame:
    """Make lists t01, t02, ... of the given lengths."""
    rows = [(user, TRACKS[rank], rank, -float(rank)) for user, n in lengths.items() for rank in range(1, n + 1)]
    types = {"user_id": pl.String, "track_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
    return pl.DataFrame(rows, types, orient="row")


def explored(
    context: RerankContext, lists: pl.DataFrame, settings: ExplorationSettings = SETTINGS, seed: int = 0
) -> pl.DataFrame:
    """Explore lists of ten with the prior."""
    prior, rng = Posterior.prior(len(FEATURES)), np.random.default_rng(seed)
    return explore(lists, context, 10, settings=settings, posterior=prior, rng=rng)


def test_slots_are_spread_and_lists_are_chosen_longer() -> None:
    """Two slots in a list of ten are at ranks 3 and 8; one slot in a list of twenty is at rank 11."""
    assert SETTINGS.slots(10).tolist() == [2, 7]
    assert SETTINGS.candidate_length(10) == 13
    assert ExplorationSettings(share=0.05).slots(20).tolist() == [10]
    assert ExplorationSettings(share=0).candidate_length(20) == 20


def test_lists_keep_their_order_around_the_slots(context: RerankContext) -> None:
    """Eight of ten tracks are the best eight in order; the other two are different ones of the next five."""
    lists = explored(context, long_lists(ann=13, bob=13))

    for user in ("ann", "bob"):
        own = lists.filter(user_id=user)
        assert own["rank"].to_list() == list(range(1, 11))
        assert own.filter(~pl.col("is_explored"))["track_id"].to_list() == TRACKS[1:9]
        drawn = own.filter("is_explored")
        assert drawn["rank"].to_list() == [3, 8]
        assert set(drawn["track_id"]) <= set(TRACKS[9:14])
        assert drawn["track_id"].n_unique() == 2
    assert lists.filter(~pl.col("is_explored"))["propensity"].unique().to_list() == [1.0]
    assert lists.columns[:4] == ["user_id", "track_id", "rank", "score"]


def test_propensities_are_the_probabilities_of_the_draws(context: RerankContext) -> None:
    """In three thousand lists of unknown listeners, each option is drawn as often as its propensity says."""
    lists = long_lists(**{f"s{number:04}": 13 for number in range(3000)})
    drawn = explored(context, lists).filter(pl.col("rank") == 3)

    by_track = drawn.group_by("track_id").agg(n=pl.len(), propensity=pl.col("propensity").mean())

    assert by_track["track_id"].n_unique() == 5
    for n, propensity in by_track.select("n", "propensity").iter_rows():
        assert n / 3000 == pytest.approx(propensity, abs=0.03)
    assert drawn["n_options"].unique().to_list() == [5]
    assert set(drawn["option_no"]) == {1, 2, 3, 4, 5}


def test_option_numbers_follow_the_recommenders_order(context: RerankContext) -> None:
    """The option number is the position among the remaining tracks."""
    lists = explored(context, long_lists(ann=13))
    first, second = lists.filter("is_explored").select("track_id", "option_no", "n_options").rows()

    assert first[1] == TRACKS[9:14].index(first[0]) + 1
    left = [track for track in TRACKS[9:14] if track != first[0]]
    assert second[1:] == (left.index(second[0]) + 1, 4)


def test_with_share_zero_nothing_is_drawn(context: RerankContext) -> None:
    """With a share of 0, lists are unchanged and have the same columns as explored ones."""
    settings = ExplorationSettings(share=0)
    lists = explored(context, long_lists(ann=10), settings)

    assert lists["track_id"].to_list() == TRACKS[1:11]
    assert lists.columns == explored(context, long_lists(ann=13)).columns
    assert exploration_log(lists, settings, date(2026, 7, 1)).is_empty()


def test_short_lists_keep_their_length(context: RerankContext) -> None:
    """A list of nine has one surplus track to draw, a list of five has none; no list gets shorter."""
    lists = explored(context, long_lists(ann=9, bob=5, cy=13))

    assert lists.group_by("user_id", maintain_order=True).len().rows() == [("ann", 9), ("bob", 5), ("cy", 10)]
    ann = lists.filter(user_id="ann")
    assert ann["rank"].to_list() == list(range(1, 10))
    assert ann.filter("is_explored").select("track_id", "propensity").rows() == [("t09", 1.0)]
    assert lists.filter(user_id="bob")["is_explored"].sum() == 0


def test_draws_depend_on_seed_and_date_alone(context: RerankContext) -> None:
    """The same date gives the same lists; another date gives different ones."""
    settings = ExplorationSettings(share=0.5, pool=5)

    def tracks_on(day: int) -> list[Any]:
        rng = settings.generator(date(2026, 6, day))
        prior = Posterior.prior(len(FEATURES))
        lists = explore(long_lists(ann=13, bob=13), context, 10, settings=settings, posterior=prior, rng=rng)
        return lists["track_id"].to_list()

    assert tracks_on(1) == tracks_on(1)
    assert tracks_on(1) != tracks_on(2)


def test_options_with_rewards_are_drawn_more_often(context: RerankContext) -> None:
    """Unplayed tracks were rewarded, so t22 and t23 are drawn more often than under the prior."""
    features = np.zeros((200, len(FEATURES)))
    features[:, 0], features[:100, FEATURES.index("unplayed")] = 1, 1
    feedback = pl.DataFrame({"features": features.tolist(), "reward": [1] * 100 + [0] * 100})
    lists = pl.DataFrame(
        {
            "user_id": "ann",
            "track_id": [*TRACKS[5:16], "t22", "t23"],
            "rank": range(1, 14),
            "score": -1.0 * np.arange(13),
        }
    ).with_columns(pl.col("rank").cast(pl.Int32))

    def n_unplayed(posterior: Posterior) -> int:
        drawn = (
            explore(lists, context, 10, settings=SETTINGS, posterior=posterior, rng=np.random.default_rng(seed))
            for seed in range(25)
        )
        is_unplayed = pl.col("track_id").is_in(["t22", "t23"])
        return sum(len(explored_lists.filter("is_explored", is_unplayed)) for explored_lists in drawn)

    assert n_unplayed(learn_posterior(feedback)) > 1.5 * n_unplayed(Posterior.prior(len(FEATURES)))


def test_features_by_hand(context: RerankContext) -> None:
    """Ann likes rock (t00) and jazz (t29). t02 is by ada, whom she likes; t20 is unplayed; t28 has no artist."""
    lists = pl.DataFrame(
        {"user_id": ["ann"] * 3, "track_id": ["t02", "t20", "t28"], "rank": [1, 2, 3], "score": [1.0, 0.75, 0.0]}
    )
    features = describe_options(CandidateSet.of(lists, context, 3))[0]
    by_name = {name: features[:, column].tolist() for column, name in enumerate(FEATURES)}

    n_listeners = 21
    assert by_name["one"] == [1, 1, 1]
    assert by_name["relevance"] == pytest.approx([1, 0.75, 0])
    assert by_name["mix"] == pytest.approx([0.5, 0.5, 0.5])
    assert by_name["unplayed"] == [0, 1, 1]
    assert by_name["new_artist"] == [0, 1, 0]
    assert by_name["popularity"] == pytest.approx([np.log(2) / np.log(1 + n_listeners), 0, 0])
    own = (2 + 1) / 2 / n_listeners
    assert by_name["beyond_usual"][0] == pytest.approx(np.log(1 / n_listeners / own) / 5)


def test_drawn_tracks_are_logged_with_their_days(context: RerankContext) -> None:
    """A play counts on the day the list is served and on the six days after it."""
    log = exploration_log(explored(context, long_lists(ann=13)), ExplorationSettings(), date(2026, 7, 1))

    assert log.select("served_on", "until", "policy").unique().rows() == [
        (date(2026, 7, 1), date(2026, 7, 7), "thompson")
    ]
    assert len(log) == 2


def test_feedback_with_other_features_is_left_out() -> None:
    """Feedback whose feature vector has a different length is ignored."""
    feedback = pl.DataFrame({"features": [[1.0] * len(FEATURES), [1.0, 2.0]], "reward": [1, 1]})

    assert learn_posterior(feedback).moment.tolist() == [1.0] * len(FEATURES)
