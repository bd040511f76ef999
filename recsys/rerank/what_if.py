"""
What-if analysis of exposure targets: rerank the stored candidates of the last run with other targets.

The cost of a target is measured by the relevance of the lists (the recommender's scores, discounted by position),
divided by the relevance of the lists without a target. This does not measure how listeners would react; the measured
cost of rules on held-out days is in marts.run_metrics. Used by the fairness page of the dashboards.
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import I64
from recsys.evaluate.ranking import discounts
from recsys.rerank.base import CandidateSet
from recsys.rerank.lists import apply_rules
from recsys.rerank.rules.exposure import Exposure, group_exposure_shares


@dataclass(frozen=True)
class Outcome:
    """
    The lists at one target, compared with the lists without a target.

    Attributes:
        share: The group's share of all exposure, 0..1; NaN if all lists are empty.
        relevance_ratio: Discounted relevance of the lists, divided by the discounted relevance of the lists without a
            target: at most 1; NaN if all lists are empty.
        changed_share: Share of recommended tracks that are not in the same listener's list without a target, 0..1.
    """

    share: float
    relevance_ratio: float
    changed_share: float


def what_if(candidates: CandidateSet, group: str, targets: list[float]) -> list[Outcome]:
    """
    Rerank all candidates under each target: a minimum share of exposure for one group of tracks.

    Args:
        candidates: The candidates of all listeners.
        group: Kind and name as in marts.track_groups, such as 'artist_gender=female'.
        targets: Minimum shares of exposure, 0..1; 0 means no target.

    Returns:
        One outcome per target, in the order of `targets`.

    Raises:
        BadRecipe: No group has this kind, or a target is not in 0..1.
    """
    baseline, members = apply_rules(candidates, [])[0], candidates.context.members(group)[:, None]
    outcomes = []
    for target in targets:
        rule = Exposure({group: target})
        chosen = apply_rules(candidates, [rule])[0] if target > 0 else baseline
        share = float(group_exposure_shares(candidates, chosen, members)[0])
        relevance_ratio = _relevance(candidates, chosen) / _relevance(candidates, baseline)
        outcomes.append(Outcome(share, relevance_ratio, float(1 - _overlap(chosen, baseline))))
    return outcomes


def _relevance(candidates: CandidateSet, chosen: I64) -> np.float64:
    shown = np.where(chosen >= 0, np.take_along_axis(candidates.relevance, np.maximum(chosen, 0), axis=1), 0)
    return np.float64((shown * discounts(candidates.k)).sum())


def _overlap(chosen: I64, baseline: I64) -> np.float64:
    """Return the share of chosen candidates that are also in the same listener's list without a target."""
    is_in_both = (chosen[:, :, None] == baseline[:, None, :]).any(axis=2)  # (B,K,1) == (B,1,K) -> (B,K)
    return np.float64(is_in_both[chosen >= 0].mean())
