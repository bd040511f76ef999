"""
The choice: place by place, each listener takes the best of what all rules allow.

Blocks of listeners choose at once. Equal candidates are taken in the recommender's order, so that without rules the
lists are the recommender's own.
"""

from collections.abc import Sequence

import numpy as np

from recsys.arrays import F32, I64, Bool
from recsys.rerank.base import CandidateSet, RerankRule, RuleState

N_BLOCK = 256  # listeners: what rules keep of a block stays near the core


def choose(candidates: CandidateSet, rules: Sequence[RerankRule]) -> I64:
    """
    Choose each listener's list.

    Args:
        candidates: The candidates; rules are `prepared` for it.
        rules: What takes part besides relevance.

    Returns:
        Columns of `candidates.tracks`, best first, shape (n_users, k); -1 where nothing was allowed any more.
    """
    ordered = sorted(rules, key=lambda rule: (-rule.urgency, type(rule).__name__))  # to the last bit of a sum
    chosen = np.full((len(candidates.tracks), candidates.k), -1)
    for start in range(0, len(chosen), N_BLOCK):
        users = slice(start, min(start + N_BLOCK, len(chosen)))
        turns = [rule.begin(candidates, users) for rule in ordered]
        free = candidates.tracks[users] >= 0
        for place in range(candidates.k):
            column = _next(candidates.relevance[users], free, turns)
            chosen[users, place] = column
            rows = np.flatnonzero(column >= 0)
            free[rows, column[rows]] = False
            for turn in turns:
                turn.take(rows, column[rows])
    return chosen


def _next(relevance: F32, free: Bool, turns: Sequence[RuleState]) -> I64:
    """Return the column that each listener takes next, -1 where none is allowed."""
    choosable = _choosable(free, turns)
    total = relevance.copy()
    for turn in turns:
        total += turn.gain()
    total[~choosable] = -np.inf
    return np.where(choosable.any(axis=1), total.argmax(axis=1), -1)


def _choosable(free: Bool, turns: Sequence[RuleState]) -> Bool:
    choosable = free.copy()
    for turn in turns:
        if (allowed := turn.allowed()) is not None:
            choosable &= allowed
    for turn in turns:
        if (wanted := turn.wanted()) is not None:
            narrowed = choosable & wanted
            choosable = np.where(narrowed.any(axis=1, keepdims=True), narrowed, choosable)
    return choosable
