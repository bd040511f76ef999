"""From candidates to lists of exactly k: where rules leave too few of a listener's candidates, more are asked for."""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from recsys.arrays import I64
from recsys.columns import RANK
from recsys.rerank.base import CandidateSet, RerankContext, RerankRule, places_of
from recsys.rerank.select import choose

WIDER = 4  # times as many candidates, for whom the first did not fill a list

SearchDeeper = Callable[
    [pl.Series, int], pl.DataFrame
]  # the best n candidates of these listeners, as `Recommender.recommend`


def rerank(candidates: pl.DataFrame, rules: Sequence[RerankRule], context: RerankContext, k: int) -> pl.DataFrame:
    """
    Choose lists among candidates.

    Args:
        candidates: As `Recommender.recommend` gives: user_id, track_id, rank, score and more, listener by listener.
        rules: What takes part besides relevance; none: the first k of each listener.
        context: What is known of listeners and tracks.
        k: Length of the lists, >= 1.

    Returns:
        The rows chosen, with rank 1..k in the new order, in the order of listeners given. Scores are the recommender's
        and need not fall any more. A list is shorter where the rules allow fewer of the candidates.
    """
    candidate_set = CandidateSet.of(candidates, context, k)
    return _rows(candidates, chosen_among(candidate_set, rules)[0])


def full_lists(
    candidates: pl.DataFrame, ask: SearchDeeper, rules: Sequence[RerankRule], context: RerankContext, k: int
) -> tuple[pl.DataFrame, int]:
    """
    Choose lists among candidates as `rerank` does, and among more where these do not fill a list.

    Args:
        candidates: As in `rerank`.
        ask: Gives more candidates of some listeners.
        rules: As in `rerank`; what they know of all listeners together comes from the first candidates.
        context: As in `rerank`.
        k: Length of the lists.

    Returns:
        The lists, shorter than k only where no more of the catalogue is allowed; and how many listeners were asked for
        more.
    """
    candidate_set = CandidateSet.of(candidates, context, k)
    chosen, rules = chosen_among(candidate_set, rules)
    lists, order = _rows(candidates, chosen), candidates["user_id"].unique(maintain_order=True)
    n, n_asked = candidate_set.tracks.shape[1], 0
    short = _short(lists, order, k)
    while len(short) and n < len(context.interactions.tracks):
        n, n_asked = n * WIDER, n_asked or len(short)
        wider = ask(short, n)
        found = CandidateSet.of(wider, context, k)
        lists = pl.concat([lists.filter(~pl.col("user_id").is_in(short.implode())), _rows(wider, choose(found, rules))])
        short = _short(lists, short, k)
    return _in_order(lists, order), n_asked


def chosen_among(candidate_set: CandidateSet, rules: Sequence[RerankRule]) -> tuple[I64, list[RerankRule]]:
    """Choose (see `select.choose`) until every rule is content, and return the rules as they then are."""
    ready = [rule.prepared(candidate_set) for rule in rules]
    while True:
        chosen = choose(candidate_set, ready)
        corrected = [rule.corrected(candidate_set, chosen) for rule in ready]
        if all(new is old for new, old in zip(corrected, ready, strict=True)):
            return chosen, ready
        ready = corrected


def _rows(candidates: pl.DataFrame, chosen: I64) -> pl.DataFrame:
    """Return the rows of the candidates at the columns chosen, ranked anew."""
    user, place = places_of(candidates)
    row_of = np.full((len(chosen), int(place.max(initial=0)) + 1), -1)
    row_of[user, place] = np.arange(len(candidates))
    users, places = np.nonzero(chosen >= 0)
    rows = candidates[row_of[users, chosen[users, places]]]
    return rows.with_columns(pl.Series(RANK.name, places + 1, dtype=RANK.dtype))


def _short(lists: pl.DataFrame, listeners: pl.Series, k: int) -> pl.Series:
    """Return those of the listeners whose list is shorter than k."""
    full = lists.group_by("user_id").len().filter(pl.col("len") == k)["user_id"]
    return listeners.filter(~listeners.is_in(full.implode()))


def _in_order(lists: pl.DataFrame, listeners: pl.Series) -> pl.DataFrame:
    order = pl.DataFrame({"user_id": listeners}).with_row_index("place")
    return lists.join(order, on="user_id").sort("place", "rank").drop("place")
