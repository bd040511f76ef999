"""
Choose lists of k tracks from candidates under the rerank rules.

If the rules allow too few of a listener's candidates to fill the list, `full_lists` fetches more from the recommender.
Called by the nightly run, by products and by the ablation.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from recsys.arrays import I64
from recsys.columns import RANK
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule, positions_of
from recsys.rerank.select import choose

CANDIDATE_GROWTH = 4  # factor by which the number of candidates grows for listeners with a short list

# (user ids, n) -> each listener's best n candidates, in the columns of `Recommender.recommend`
MoreCandidates = Callable[[pl.Series, int], pl.DataFrame]


def rerank(candidates: pl.DataFrame, rules: Sequence[RerankRule], context: RerankContext, k: int) -> pl.DataFrame:
    """
    Choose each listener's list from their candidates.

    Args:
        candidates: As `Recommender.recommend` returns them: user_id, track_id, rank, score and other columns, the rows
            of each listener adjacent.
        rules: The rerank rules. Without rules, each list is the first k candidates.
        context: Training interactions and track groups.
        k: Length of the lists, >= 1.

    Returns:
        The chosen rows of `candidates` with new ranks 1..k, listeners in the same order. Scores are still the
        recommender's, so they may not decrease with rank. A list is shorter than k if the rules allow fewer candidates.
    """
    candidate_set = CandidateSet.of(candidates, context, k)
    return _rows(candidates, apply_rules(candidate_set, rules)[0])


def full_lists(
    candidates: pl.DataFrame, more: MoreCandidates, rules: Sequence[RerankRule], context: RerankContext, k: int
) -> tuple[pl.DataFrame, int]:
    """
    Choose lists as `rerank` does; for listeners whose list is shorter than k, fetch more candidates and choose again.

    Args:
        candidates: As in `rerank`.
        more: Returns the best n candidates of some listeners.
        rules: As in `rerank`. Parameters that a rule computes from all listeners are computed from `candidates` only.
        context: As in `rerank`.
        k: Length of the lists.

    Returns:
        The lists; a list is shorter than k only if the rules allow fewer than k tracks of the catalogue. And the number
        of listeners for whom more candidates were fetched.
    """
    candidate_set = CandidateSet.of(candidates, context, k)
    chosen, rules = apply_rules(candidate_set, rules)
    lists, order = _rows(candidates, chosen), candidates["user_id"].unique(maintain_order=True)
    n, n_widened = candidate_set.tracks.shape[1], 0
    short = _short(lists, order, k)
    while len(short) and n < len(context.interactions.tracks):
        n, n_widened = n * CANDIDATE_GROWTH, n_widened or len(short)
        wider = more(short, n)
        refilled = _rows(wider, choose(CandidateSet.of(wider, context, k), rules))
        lists = pl.concat([lists.filter(~pl.col("user_id").is_in(short.implode())), refilled])
        short = _short(lists, short, k)
    return _in_order(lists, order), n_widened


def apply_rules(candidate_set: CandidateSet, rules: Sequence[RerankRule]) -> tuple[I64, list[RerankRule]]:
    """
    Choose lists, adjust the rules to the chosen lists (see `RerankRule.corrected`), and repeat until no rule changes.

    Returns:
        The result of `select.choose`, and the rules after the last adjustment.
    """
    current = [rule.prepared(candidate_set) for rule in rules]
    while True:
        chosen = choose(candidate_set, current)
        corrected = [rule.corrected(candidate_set, chosen) for rule in current]
        if all(new is old for new, old in zip(corrected, current, strict=True)):
            return chosen, current
        current = corrected


def _rows(candidates: pl.DataFrame, chosen: I64) -> pl.DataFrame:
    """Return the rows of the chosen candidates, with new ranks."""
    user, position = positions_of(candidates)
    row_of = np.full((len(chosen), int(position.max(initial=0)) + 1), -1)
    row_of[user, position] = np.arange(len(candidates))
    users, positions = np.nonzero(chosen >= 0)
    rows = candidates[row_of[users, chosen[users, positions]]]
    return rows.with_columns(pl.Series(RANK.name, positions + 1, dtype=RANK.dtype))


def _short(lists: pl.DataFrame, listeners: pl.Series, k: int) -> pl.Series:
    """Return the listeners whose list is shorter than k."""
    full = lists.group_by("user_id").len().filter(pl.col("len") == k)["user_id"]
    return listeners.filter(~listeners.is_in(full.implode()))


def _in_order(lists: pl.DataFrame, listeners: pl.Series) -> pl.DataFrame:
    order = pl.DataFrame({"user_id": listeners}).with_row_index("position")
    return lists.join(order, on="user_id").sort("position", "rank").drop("position")
