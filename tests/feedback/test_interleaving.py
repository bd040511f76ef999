"""Team draft and its verdict: lists by hand, no advantage for equal recommenders, and agreement with known truth."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.feedback.choice import CHOICES, Shown
from recsys.feedback.exploration import ExplorationSettings
from recsys.feedback.interleaving import FIRST, SECOND, InterleavingSettings, Verdict, team_draft, verdict

N_TRACKS, K = 30, 10
TRACKS = np.array([f"t{number:02}" for number in range(N_TRACKS)])


def lists(ranked: dict[str, str]) -> pl.DataFrame:
    """Write lists as one letter per track, best first."""
    rows = [(user, rank, track) for user, tracks in ranked.items() for rank, track in enumerate(tracks, 1)]
    return pl.DataFrame(rows, ["user_id", "rank", "track_id"], orient="row")


def drafts(first: str, second: str, k: int) -> set[tuple[str, str]]:
    """Return all lists and teams (1, 2, - for none) that coins lead to."""
    found = set()
    for seed in range(60):
        made = team_draft(lists({"ann": first}), lists({"ann": second}), k, rng=np.random.default_rng(seed))
        contested = made.select(pl.when("is_contested").then("team").otherwise(pl.lit("-"))).to_series()
        teams = "".join({FIRST: "1", SECOND: "2", "-": "-"}[team] for team in contested)
        assert made["rank"].to_list() == list(range(1, len(made) + 1))
        found.add(("".join(made["track_id"]), teams))
    return found


def test_lists_by_hand() -> None:
    """Whoever begins takes its first track; one that the other has taken is passed over; c is left to one of them."""
    assert drafts("abc", "bca", 2) == {("ab", "12"), ("ba", "21")}
    assert drafts("abc", "bca", 3) == {("abc", "12-"), ("bac", "21-")}
    assert drafts("ab", "cd", 1) == {("a", "1"), ("c", "2")}


def test_a_longer_list_is_no_advantage() -> None:
    """Of one track against four, two are contested; a shared last track by nobody, whoever begins."""
    assert drafts("a", "bcde", 4) == {("abcd", "12--"), ("bacd", "21--")}
    assert drafts("a", "ab", 3) == {("ab", "--")}


def test_only_listeners_of_both_are_interleaved() -> None:
    """Ann has lists of both, Bob and Cleo of one."""
    made = team_draft(
        lists({"bob": "ab", "ann": "ab"}), lists({"ann": "ba", "cleo": "ab"}), 2, rng=np.random.default_rng(1)
    )

    assert made["user_id"].to_list() == ["ann", "ann"]


def test_a_verdict_by_hand() -> None:
    """Per listener: 2 - 0, 0 - 1 and 1 - 1 plays, a mean of 1/3; what was not contested does not count."""
    plays = pl.DataFrame(
        [
            *(("ann", FIRST, 1, True), ("ann", FIRST, 1, True), ("ann", SECOND, 0, True)),
            *(("bob", FIRST, 0, True), ("bob", SECOND, 1, True), ("bob", FIRST, 1, False)),
            *(("cleo", FIRST, 1, True), ("cleo", SECOND, 1, True)),
        ],
        ["user_id", "team", "reward", "is_contested"],
        orient="row",
    )

    found = verdict(plays, seed=1)

    assert found.difference.mean == pytest.approx(1 / 3)
    assert found.difference.n_users == 3
    assert found.winner == ""
    assert verdict(plays.clear(), seed=1).winner == ""


def test_rewards_that_are_not_plays_are_refused() -> None:
    """Two plays of one track are one reward."""
    plays = pl.DataFrame({"user_id": ["ann"], "team": [FIRST], "is_contested": [True], "reward": [2]})

    with pytest.raises(InputError, match="expected 0 or 1"):
        verdict(plays, seed=1)


def simulated(seed: int, noise: tuple[float, float], choice: str, n: int = 150) -> Verdict:
    """Interleave two recommenders that rank by the true probability of liking plus noise, and let listeners choose."""
    rng = np.random.default_rng(seed)
    users = np.array([f"u{number:03}" for number in range(n)])
    likes = rng.beta(1, 4, (n, N_TRACKS))
    ranked = [np.argsort(-likes - std * rng.standard_normal(likes.shape), axis=1)[:, :K] for std in noise]
    first, second = (
        pl.DataFrame(
            {"user_id": np.repeat(users, K), "rank": np.tile(np.arange(1, K + 1), n), "track_id": TRACKS[best.ravel()]}
        )
        for best in ranked
    )
    made = team_draft(first, second, K, rng=rng)
    shown = np.searchsorted(TRACKS, made["track_id"].to_numpy()).reshape(n, K)
    shown_likes = np.take_along_axis(likes, shown, axis=1)
    played = CHOICES[choice](Shown(shown_likes, np.zeros((n, K)), rng.random((n, K)), rng.random((n, K))))
    return verdict(made.with_columns(reward=pl.Series(played.ravel().astype(int))), seed=seed)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_better_recommender_wins_however_listeners_choose(choice: str) -> None:
    """The first ranks by the truth, the second with much noise."""
    assert simulated(1, (0.0, 1.0), choice).winner == FIRST
    assert simulated(1, (1.0, 0.0), choice).winner == SECOND


@pytest.mark.parametrize("choice", CHOICES)
def test_equal_recommenders_seldom_have_a_winner(choice: str) -> None:
    """Of 20 comparisons at a level of 5 %, at most 4 have a winner with a probability of 99.7 %."""
    winners = [simulated(seed, (0.3, 0.3), choice, n=60).winner for seed in range(20)]

    assert sum(winner != "" for winner in winners) <= 4


def test_interleaving_and_exploration_draw_independent_numbers() -> None:
    """With the same seed and date, who is interleaved says nothing about what is explored."""
    day = date(2026, 7, 1)

    draws = [settings.generator(day).random(5).tolist() for settings in (InterleavingSettings(), ExplorationSettings())]

    assert draws[0] != draws[1]
