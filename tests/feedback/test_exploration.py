"""Places for finding out: where they are, what stands there, and that the dice are told."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from recsys.dataset.interactions import Interactions
from recsys.errors import BadRecipe
from recsys.feedback.bandits import Posterior
from recsys.feedback.exploration import FEATURES, ExplorationSettings, describe, explore, learned, log_of
from recsys.rerank.base import CandidateSet, RerankContext

TRACKS = [f"t{at:02}" for at in range(30)]
SETTINGS = ExplorationSettings(share=0.2, pool=5)


@pytest.fixture(scope="module")
def context() -> RerankContext:
    """Ann likes t00 (ada, rock) and t29; bob likes t00. Tracks from t20 on are nobody's yet, but t29."""
    catalogue = pl.DataFrame(
        {
            "track_id": TRACKS,
            "artist": ["ada" if at < 3 else f"a{at}" if at < 28 else None for at in range(30)],
            "genre": ["rock" if at % 2 == 0 else "jazz" for at in range(30)],
        }
    )
    likes = [("ann", "t00"), ("ann", "t29"), ("bob", "t00"), *((f"u{at}", TRACKS[at]) for at in range(1, 20))]
    pairs = pl.DataFrame(likes, ["user_id", "track_id"], orient="row").with_columns(strength=pl.lit(1.0))
    return RerankContext.of(Interactions.of(pairs, catalogue=catalogue))


def long_lists(**lengths: int) -> pl.DataFrame:
    """Lists from t01 on, as long as said."""
    rows = [(user, TRACKS[at + 1], at + 1, -float(at)) for user, n in lengths.items() for at in range(n)]
    types = {"user_id": pl.String, "track_id": pl.String, "rank": pl.Int32, "score": pl.Float32}
    return pl.DataFrame(rows, types, orient="row")


def explored(
    context: RerankContext, lists: pl.DataFrame, settings: ExplorationSettings = SETTINGS, seed: int = 0
) -> pl.DataFrame:
    """Lists of ten, nothing learned yet."""
    prior, rng = Posterior.prior(len(FEATURES)), np.random.default_rng(seed)
    return explore(lists, context, 10, settings=settings, posterior=prior, rng=rng)


def test_places_are_spread_and_lists_are_chosen_longer() -> None:
    """Two of ten: the third and the eighth; one of twenty: the eleventh; none where nothing is to be found out."""
    assert SETTINGS.places(10).tolist() == [2, 7]
    assert SETTINGS.length(10) == 13
    assert ExplorationSettings(share=0.05).places(20).tolist() == [10]
    assert ExplorationSettings(share=0).length(20) == 20


def test_lists_keep_their_order_around_what_was_drawn(context: RerankContext) -> None:
    """Eight of ten places are the first eight as they were; two come from the five after these, and none twice."""
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


def test_the_dice_that_are_told_are_those_that_fell(context: RerankContext) -> None:
    """Of three thousand strangers' lists, each option comes as often as its propensity said."""
    lists = long_lists(**{f"s{at:04}": 13 for at in range(3000)})
    drawn = explored(context, lists).filter(pl.col("rank") == 3)

    came = drawn.group_by("track_id").agg(n=pl.len(), said=pl.col("propensity").mean())

    assert came["track_id"].n_unique() == 5
    for n, said in came.select("n", "said").iter_rows():
        assert n / 3000 == pytest.approx(said, abs=0.03)
    assert drawn["n_options"].unique().to_list() == [5]
    assert set(drawn["option_no"]) == {1, 2, 3, 4, 5}


def test_the_first_option_is_what_would_have_stood_there(context: RerankContext) -> None:
    """Option numbers follow the recommender's order among what is left."""
    lists = explored(context, long_lists(ann=13))
    first, second = lists.filter("is_explored").select("track_id", "option_no", "n_options").rows()

    assert first[1] == TRACKS[9:14].index(first[0]) + 1
    left = [track for track in TRACKS[9:14] if track != first[0]]
    assert second[1:] == (left.index(second[0]) + 1, 4)


def test_where_nothing_is_to_be_found_out_nothing_is_drawn(context: RerankContext) -> None:
    """The same columns, so that whoever reads them need not ask."""
    settings = ExplorationSettings(share=0)
    lists = explored(context, long_lists(ann=10), settings)

    assert lists["track_id"].to_list() == TRACKS[1:11]
    assert lists.columns == explored(context, long_lists(ann=13)).columns
    assert log_of(lists, settings, date(2026, 7, 1)).is_empty()


def test_short_lists_stay_as_they_are(context: RerankContext) -> None:
    """Nine tracks, one of them left to draw from; five tracks, none: nobody's list becomes shorter, or has gaps."""
    lists = explored(context, long_lists(ann=9, bob=5, cy=13))

    assert lists.group_by("user_id", maintain_order=True).len().rows() == [("ann", 9), ("bob", 5), ("cy", 10)]
    ann = lists.filter(user_id="ann")
    assert ann["rank"].to_list() == list(range(1, 10))
    assert ann.filter("is_explored").select("track_id", "propensity").rows() == [("t09", 1.0)]
    assert lists.filter(user_id="bob")["is_explored"].sum() == 0


def test_a_night_falls_the_same_way_twice_and_another_night_differently(context: RerankContext) -> None:
    """Dice are those of the seed and the day."""
    settings = ExplorationSettings(share=0.5, pool=5)

    def on(day: int) -> list[Any]:
        dice = settings.dice(date(2026, 6, day))
        prior = Posterior.prior(len(FEATURES))
        lists = explore(long_lists(ann=13, bob=13), context, 10, settings=settings, posterior=prior, rng=dice)
        return lists["track_id"].to_list()

    assert on(1) == on(1)
    assert on(1) != on(2)


def test_what_is_learned_is_drawn_more(context: RerankContext) -> None:
    """Listeners liked whatever nobody had played: t20 and later come up more than without that knowledge."""
    features = np.zeros((200, len(FEATURES)))
    features[:, 0], features[:100, FEATURES.index("unplayed")] = 1, 1
    told = pl.DataFrame({"features": features.tolist(), "reward": [1] * 100 + [0] * 100})
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
            for seed in range(50)
        )
        return sum(len(each.filter("is_explored", pl.col("track_id").is_in(["t22", "t23"]))) for each in drawn)

    assert n_unplayed(learned(told)) > 1.5 * n_unplayed(Posterior.prior(len(FEATURES)))


def test_descriptions_by_hand(context: RerankContext) -> None:
    """Ann: rock t00 and jazz t29. t02 is ada's, whom she likes; t20 nobody has played; t28's artist is unknown."""
    lists = pl.DataFrame(
        {"user_id": ["ann"] * 3, "track_id": ["t02", "t20", "t28"], "rank": [1, 2, 3], "score": [1.0, 0.75, 0.0]}
    )
    described = describe(CandidateSet.of(lists, context, 3))[0]
    by_name = {name: described[:, at].tolist() for at, name in enumerate(FEATURES)}

    n_listeners = 21
    assert by_name["one"] == [1, 1, 1]
    assert by_name["relevance"] == pytest.approx([1, 0.75, 0])
    assert by_name["mix"] == pytest.approx([0.5, 0.5, 0.5])
    assert by_name["unplayed"] == [0, 1, 1]
    assert by_name["new_artist"] == [0, 1, 0]
    assert by_name["popularity"] == pytest.approx([np.log(2) / np.log(1 + n_listeners), 0, 0])
    own = (2 + 1) / 2 / n_listeners
    assert by_name["beyond_usual"][0] == pytest.approx(np.log(1 / n_listeners / own) / 5)


def test_what_was_drawn_is_kept_with_its_days(context: RerankContext) -> None:
    """A play counts on the day served and the six after."""
    log = log_of(explored(context, long_lists(ann=13)), ExplorationSettings(), date(2026, 7, 1))

    assert log.select("served_on", "until", "policy").unique().rows() == [
        (date(2026, 7, 1), date(2026, 7, 7), "thompson")
    ]
    assert len(log) == 2


def test_descriptions_of_another_version_are_not_learned_from() -> None:
    """A log whose vectors are of other features is left out, not misread."""
    told = pl.DataFrame({"features": [[1.0] * len(FEATURES), [1.0, 2.0]], "reward": [1, 1]})

    assert learned(told).moment.tolist() == [1.0] * len(FEATURES)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 0.7}, "share 0..0.5"),
        ({"pool": 1}, "pool at least 2"),
        ({"policy": "tompson"}, "Did you mean 'thompson'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], message: str) -> None:
    """Each with its section of the recipe."""
    with pytest.raises(BadRecipe, match=message):
        ExplorationSettings(**settings)
