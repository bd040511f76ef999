"""
What if a group of tracks had to be seen more: the stored candidates chosen among again, at another target.

Accuracy is what the recommender itself thinks of the lists: the relevance of what is shown, weighed by how much each
place is looked at, as a share of that of its own lists. What listeners will do is not known before they have seen them;
the night's metrics (marts.run_metrics) say what rules cost on days that have passed.
"""

from dataclasses import dataclass

import numpy as np

from recsys.arrays import I64
from recsys.evaluate.exposure import discounts
from recsys.rerank.base import CandidateSet
from recsys.rerank.lists import chosen_among
from recsys.rerank.rules.exposure import Exposure, shares


@dataclass(frozen=True)
class Outcome:
    """
    What lists would be.

    Attributes:
        share: The group's share of what all listeners look at, 0..1; NaN where nothing is shown.
        kept: Relevance of what is shown / that of the recommender's own lists, at most 1; NaN likewise.
        changed: Share of the tracks on lists that were not on the same listener's own list, 0..1.
    """

    share: float
    kept: float
    changed: float


def what_if(candidates: CandidateSet, group: str, targets: list[float]) -> list[Outcome]:
    """
    Choose all lists again under each least share of exposure.

    Args:
        candidates: The candidates of all listeners.
        group: As in marts.track_groups: 'artist_gender=female'.
        targets: Least shares, 0..1; 0 leaves the recommender's own lists.

    Raises:
        BadRecipe: There is no such kind of group, or a target is no share.
    """
    own, members = chosen_among(candidates, [])[0], candidates.context.members(group)[:, None]
    outcomes = []
    for target in targets:
        chosen = chosen_among(candidates, [Exposure({group: target})])[0] if target > 0 else own
        share = float(shares(candidates, chosen, members)[0])
        changed = float(1 - _kept(chosen, own))
        outcomes.append(Outcome(share, _relevance(candidates, chosen) / _relevance(candidates, own), changed))
    return outcomes


def _relevance(candidates: CandidateSet, chosen: I64) -> np.float64:
    shown = np.where(chosen >= 0, np.take_along_axis(candidates.relevance, np.maximum(chosen, 0), axis=1), 0)
    return np.float64((shown * discounts(candidates.k)).sum())


def _kept(chosen: I64, own: I64) -> np.float64:
    """Which share of the columns chosen were also chosen without a target, listener by listener."""
    is_kept = (chosen[:, :, None] == own[:, None, :]).any(axis=2)  # (B,K,1) == (B,1,K) -> (B,K)
    return np.float64(is_kept[chosen >= 0].mean())
