"""
Greedy selection: fill each list position by position with the best candidate that all rules allow.

The best candidate has the largest sum of relevance and the gains of all rules. Ties are broken by the recommender's
order, so without rules each list is the recommender's own. Listeners are processed in blocks.
"""

from collections.abc import Sequence

import numpy as np

from recsys.arrays import F32, I64, Bool
from recsys.rerank.base import CandidateSet, RerankRule, RuleState

N_BLOCK = 256  # listeners per block; small enough that the rules' arrays fit the processor's cache


def choose(candidates: CandidateSet, rules: Sequence[RerankRule]) -> I64:
    """
    Choose each listener's list.

    Args:
        candidates: The candidates.
        rules: The rules that `RerankRule.prepared` returned for these candidates.

    Returns:
        The chosen columns of `candidates.tracks`, in list order; -1 if no candidate was allowed at a position. Shape
        (n_users, k), int64.
    """
    # Gains are always added in the same order, so rounding errors do not depend on the order of rules in the recipe.
    ordered = sorted(rules, key=lambda rule: (-rule.urgency, type(rule).__name__))
    chosen = np.full((len(candidates.tracks), candidates.k), -1)
    for start in range(0, len(chosen), N_BLOCK):
        users = slice(start, min(start + N_BLOCK, len(chosen)))
        states = [rule.begin(candidates, users) for rule in ordered]
        free = candidates.tracks[users] >= 0
        for position in range(candidates.k):
            column = _next(candidates.relevance[users], free, states)
            chosen[users, position] = column
            rows = np.flatnonzero(column >= 0)
            free[rows, column[rows]] = False
            for state in states:
                state.update(rows, column[rows])
    return chosen


def _next(relevance: F32, free: Bool, states: Sequence[RuleState]) -> I64:
    """Return the column of each listener's next candidate; -1 if none is allowed. Shape (n_block,)."""
    choosable = _choosable(free, states)
    total = relevance.copy()
    for state in states:
        total += state.gain()
    total[~choosable] = -np.inf
    return np.where(choosable.any(axis=1), total.argmax(axis=1), -1)


def _choosable(free: Bool, states: Sequence[RuleState]) -> Bool:
    choosable = free.copy()
    for state in states:
        if (allowed := state.allowed()) is not None:
            choosable &= allowed
    for state in states:
        if (required := state.required()) is not None:
            narrowed = choosable & required
            choosable = np.where(narrowed.any(axis=1, keepdims=True), narrowed, choosable)
    return choosable
