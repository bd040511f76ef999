"""
What-if analysis of exposure targets: choose all lists again from the stored candidates, at other targets.

The cost of a target is measured by the recommender's own relevance scores, discounted by position, as a share of those
of the lists without a target. How listeners would react is unknown until they see the lists; what rules cost on past
days is in marts.run_metrics. Used by the fairness page of the dashboards.
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import I64
from recsys.evaluate.exposure import discounts
from recsys.rerank.base import CandidateSet
from recsys.rerank.lists import apply_rules
from recsys.rerank.rules.exposure import Exposure, shares


@dataclass(frozen=True)
class Outcome:
    """
    The lists at one target, compared with the lists without a target.

    Attributes:
        share: The group's share of all exposure, 0..1; NaN if nothing is shown.
        kept: Discounted relevance of the lists, divided by that of the lists without a target: at most 1; NaN if
            nothing is shown.
        changed: Share of recommended tracks that are not in the same listener's list without a target, 0..1.
    """

    share: float
    kept: float
    changed: float


def what_if(candidates: CandidateSet, group: str, targets: list[float]) -> list[Outcome]:
    """
    Choose all lists again under each target: a minimum share of exposure for one group of tracks.

    Args:
        candidates: The candidates of all listeners.
        group: Kind and name as in marts.track_groups, such as 'artist_gender=female'.
        targets: Minimum shares of exposure, 0..1; 0 means no target.

    Returns:
        One outcome per target, in their order.

    Raises:
        BadRecipe: There is no such kind of group, or a target is not in 0..1.
    """
    own, members = apply_rules(candidates, [])[0], candidates.context.members(group)[:, None]
    outcomes = []
    for target in targets:
        chosen = apply_rules(candidates, [Exposure({group: target})])[0] if target > 0 else own
        share = float(shares(candidates, chosen, members)[0])
        changed = float(1 - _kept(chosen, own))
        outcomes.append(Outcome(share, _relevance(candidates, chosen) / _relevance(candidates, own), changed))
    return outcomes


def _relevance(candidates: CandidateSet, chosen: I64) -> np.float64:
    shown = np.where(chosen >= 0, np.take_along_axis(candidates.relevance, np.maximum(chosen, 0), axis=1), 0)
    return np.float64((shown * discounts(candidates.k)).sum())


def _kept(chosen: I64, own: I64) -> np.float64:
    """Return the share of chosen candidates that the same listener also gets without a target."""
    is_kept = (chosen[:, :, None] == own[:, None, :]).any(axis=2)  # (B,K,1) == (B,1,K) -> (B,K)
    return np.float64(is_kept[chosen >= 0].mean())
