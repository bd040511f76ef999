"""
The re-ranking choice as a textbook would write it: one listener after the other, in float64, from the definitions.

The peer of `bench/rerank.py`, and what the tests hold `recsys.rerank` against. Prices of exposure are taken as found.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from recsys.arrays import I64
from recsys.rerank.base import CandidateSet, RerankRule
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Priced
from recsys.rerank.rules.fair_top_k import FairTopK, least_protected
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

Values: TypeAlias = npt.NDArray[Any]


def plain_choice(night: CandidateSet, stages: Sequence[RerankRule]) -> I64:
    """Choose each listener's list: columns of `night.tracks`, -1 where nothing is allowed any more."""
    chosen = np.full((len(night.tracks), night.k), -1)
    for user in range(len(chosen)):
        picked: list[int] = []
        while len(picked) < night.k:
            column = _best(night, user, picked, stages)
            if column is None:
                break
            picked.append(column)
        chosen[user, : len(picked)] = picked
    return chosen


def _best(night: CandidateSet, user: int, picked: list[int], stages: Sequence[RerankRule]) -> int | None:
    tracks = night.tracks[user].astype(np.int64)
    total = night.relevance[user].astype(np.float64)
    allowed = tracks >= 0
    allowed[picked] = False
    wanted = []
    for stage in stages:
        match stage:
            case ArtistCap():
                allowed &= _within_cap(night, tracks, picked, stage)
                wanted.append(~_stood_lately(night, tracks, picked, stage))
            case NotHeard():
                allowed &= _not_heard(night, user, tracks, stage)
            case Diversity():
                total -= stage.weight * _likeness(night, tracks, picked)
            case Calibration():
                total -= stage.weight * _miscalibration(night, user, tracks, picked)
            case Popularity():
                total -= stage.weight * _out_of_level(night, user, tracks, picked)
            case Priced():
                total += stage.members[tracks] @ (stage.above if user < stage.n_above else stage.below)
            case FairTopK():
                wanted.insert(0, _protected_if_needed(night, tracks, picked, stage))
    for mask in wanted:
        allowed = allowed & mask if (allowed & mask).any() else allowed
    return int(np.argmax(np.where(allowed, total, -np.inf))) if allowed.any() else None


def _within_cap(night: CandidateSet, tracks: Values, picked: list[int], stage: ArtistCap) -> Values:
    artists = night.about.artists[tracks]
    taken = artists[picked]
    return np.array([artist < 0 or (taken == artist).sum() < stage.tracks for artist in artists])


def _stood_lately(night: CandidateSet, tracks: Values, picked: list[int], stage: ArtistCap) -> Values:
    artists = night.about.artists[tracks]
    lately = artists[picked[max(0, len(picked) - stage.apart) :]]
    return np.array([artist >= 0 and artist in lately for artist in artists])


def _not_heard(night: CandidateSet, user: int, tracks: Values, stage: NotHeard) -> Values:
    liked, seen = night.history[np.array([user])], night.past.seen[[user]]
    ages = dict(zip(liked.matrix.indices.tolist(), liked.age_days.tolist(), strict=True))
    only_seen = set(seen.indices.tolist()) - set(ages)
    return np.array([track not in only_seen and ages.get(track, np.inf) >= stage.days for track in tracks.tolist()])


def _likeness(night: CandidateSet, tracks: Values, picked: list[int]) -> Values:
    vectors = night.about.vectors[tracks].astype(np.float64)
    likeness: Values = np.maximum((vectors @ vectors[picked].T).max(axis=1, initial=0), 0)
    return likeness


def _miscalibration(night: CandidateSet, user: int, tracks: Values, picked: list[int]) -> Values:
    mix = night.past.mix[[user]].toarray().ravel()
    parts = night.past.genres[tracks].toarray()
    lists = parts + parts[picked].sum(axis=0)  # (n, n_genres): with each candidate
    n_known = (parts > 0).any(axis=1) + (parts[picked] > 0).any(axis=1).sum()
    smoothed = 0.99 * lists / np.maximum(n_known, 1)[:, None] + 0.01 * mix
    played = mix > 0
    divergence: Values = (mix[played] * np.log(mix[played] / smoothed[:, played])).sum(axis=1)
    paying = (parts[picked] > 0).any(axis=1).sum() + 1
    cost: Values = divergence * paying
    return cost


def _out_of_level(night: CandidateSet, user: int, tracks: Values, picked: list[int]) -> Values:
    own = night.past.own_popularity[user]
    if np.isnan(own):
        return np.zeros(len(tracks))
    popularity = np.maximum(night.past.popularity[tracks], 1 / night.past.n_listeners)
    mean = (popularity + popularity[picked].sum()) / (len(picked) + 1)
    level: Values = np.abs(np.log(mean / own)) * (len(picked) + 1)
    return level


def _protected_if_needed(night: CandidateSet, tracks: Values, picked: list[int], stage: FairTopK) -> Values:
    is_protected = night.about.members(stage.group)[tracks]
    least = least_protected(night.k, stage.share, stage.alpha)[len(picked)]
    wanted: Values = is_protected | (is_protected[picked].sum() >= least)
    return wanted


def plain_least(k: int, share: float, alpha: float) -> list[int]:
    """Return the unadjusted table of FA*IR, count by count."""
    return [next(m for m in range(n + 1) if binom.cdf(m, n, share) > alpha) for n in range(1, k + 1)]
