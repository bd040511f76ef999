"""
Interleaving: compare two recommenders online in the same list, by team draft.

The two take turns, a coin decides who begins each round, and each adds its best track that the list does not have yet.
A play counts for the team that added the track. A round is contested if each recommender has a track left whichever of
them begins; other rounds do not count, so that a longer list is no advantage. A listener sees both recommenders at
once, so far fewer listeners are needed than in a test of two groups.

Source:
    Radlinski, Kurup, Joachims, How Does Clickthrough Data Reflect Retrieval Quality? (2008); Chapelle, Joachims,
    Radlinski, Yue, Large-Scale Validation and Analysis of Interleaved Search Evaluation (2012).
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, NamedTuple

import numpy as np
import polars as pl
from msgspec import Meta

from recsys.columns import RANK, TRACK_ID, USER_ID, Column, schema
from recsys.errors import InputError
from recsys.evaluate.significance import Interval, difference_interval, paired_p_value
from recsys.settings import Count, Seed, Settings

FIRST, SECOND = "first", "second"
INTERLEAVED_COLUMNS = (USER_ID, RANK, TRACK_ID, Column("team", pl.String()), Column("is_contested", pl.Boolean()))
MAX_P = 0.01  # of a verdict that one recommender is better; low, because it is judged again after every run
STREAM = 1  # of random numbers


@dataclass(frozen=True)
class InterleavingSettings(Settings):
    """
    The [interleaving] section of a recipe.

    Attributes:
        challenger: Name of the recommender that is interleaved with the exported one; empty for none.
        share: Share of the listeners whose lists are interleaved, 0..1, drawn anew in every run.
        days: Number of days within which a play counts, as long as a list is shown: 1 if there is a run every day [d].
        seed: Seed of the draws; each run date has its own random generator.
    """

    challenger: str = ""
    share: Annotated[float, Meta(ge=0, le=1)] = 0.1
    days: Count = 1
    seed: Seed = 7

    def generator(self, as_of: date) -> np.random.Generator:
        """Return the random generator for the run of a date, independent of that of exploration with the same seed."""
        return np.random.default_rng([self.seed, as_of.toordinal(), STREAM])


class Verdict(NamedTuple):
    """
    What the plays of interleaved lists say.

    Attributes:
        difference: Mean number of plays per listener for the first team minus the second, with its 95 % interval.
        p_value: Two-sided p-value of the difference, of a permutation test by listener; NaN without listeners.
        winner: 'first' or 'second'; empty if the difference may be chance.
    """

    difference: Interval
    p_value: float
    winner: str


def team_draft(first: pl.DataFrame, second: pl.DataFrame, k: int, *, rng: np.random.Generator) -> pl.DataFrame:
    """
    Interleave the lists of two recommenders.

    Args:
        first: The lists of the first recommender: user_id, rank, track_id, no track twice in a list.
        second: The lists of the second recommender, likewise; only listeners who are in both are interleaved.
        k: Maximum length of the interleaved lists.
        rng: Random generator of the coins.

    Returns:
        One row per listener and rank with INTERLEAVED_COLUMNS, listeners in the order of `first`; team is 'first' or
        'second', and is_contested false in rounds in which one recommender may have no track left.
    """
    lists_of_second = _lists(second)
    rows = [
        (user, rank, *drafted)
        for user, tracks in _lists(first).items()
        if user in lists_of_second
        for rank, drafted in enumerate(_drafted(tracks, lists_of_second[user], k, rng), 1)
    ]
    return pl.DataFrame(rows, schema(INTERLEAVED_COLUMNS), orient="row")


def verdict(plays: pl.DataFrame, *, seed: int) -> Verdict:
    """
    Judge two recommenders by the plays of their interleaved lists.

    Args:
        plays: user_id, team and is_contested (as in `team_draft`), and reward: 1 if the listener played the track,
            else 0. Listeners without a play count as undecided.
        seed: Seed of the bootstrap and of the permutation test.

    Raises:
        InputError: A reward is neither 0 nor 1.
    """
    if not plays["reward"].is_in([0, 1]).all():
        raise InputError("reward: found other values, expected 0 or 1, whether the listener played the track")
    won = [pl.col("reward").filter(team=team).sum().cast(pl.Float64).alias(team) for team in (FIRST, SECOND)]
    by_listener = plays.filter("is_contested").group_by("user_id").agg(won).sort("user_id")
    of_first, of_second = (by_listener[team].to_numpy() for team in (FIRST, SECOND))
    difference = difference_interval(of_first, of_second, seed=seed)
    p_value = paired_p_value(of_first, of_second, seed=seed)
    better = FIRST if difference.mean > 0 else SECOND
    return Verdict(difference, p_value, better if p_value < MAX_P else "")


def _lists(lists: pl.DataFrame) -> dict[str, list[str]]:
    """Return the tracks of each listener, best first."""
    by_listener = lists.sort("rank").group_by("user_id", maintain_order=True).agg("track_id")
    in_order = lists.select(pl.col("user_id").unique(maintain_order=True)).join(by_listener, on="user_id", how="left")
    return dict(in_order.iter_rows())


def _drafted(first: list[str], second: list[str], k: int, rng: np.random.Generator) -> list[tuple[str, str, bool]]:
    """Return the tracks of one list with their teams, and whether both teams took part in the round."""
    left = {FIRST: first, SECOND: second}
    drafted: list[tuple[str, str, bool]] = []
    while len(drafted) < k and (left[FIRST] or left[SECOND]):
        is_contested = _lasts(left[FIRST], left[SECOND]) and _lasts(left[SECOND], left[FIRST])
        added = []
        for team in (FIRST, SECOND) if rng.random() < 0.5 else (SECOND, FIRST):
            if left[team]:
                track = left[team][0]
                added.append((track, team))
                left = {name: [other for other in tracks if other != track] for name, tracks in left.items()}
        drafted += [(track, team, is_contested) for track, team in added]
    return drafted[:k]


def _lasts(own: list[str], other: list[str]) -> bool:
    """Return whether a team has a track left after the other, which has one too, has added its best."""
    return bool(other) and any(track != other[0] for track in own)
