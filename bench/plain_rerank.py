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
from recsys.rerank.rules.exposure import PricedExposure
from recsys.rerank.rules.fair_top_k import FairTopK, min_protected
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

Values: TypeAlias = npt.NDArray[Any]


def plain_choice(candidates: CandidateSet, rules: Sequence[RerankRule]) -> I64:
    """Choose each listener's list: columns of `candidates.tracks`, -1 where nothing is allowed any more."""
    chosen = np.full((len(candidates.tracks), candidates.k), -1)
    for user in range(len(chosen)):
        picked: list[int] = []
        while len(picked) < candidates.k:
            column = _best(candidates, user, picked, rules)
            if column is None:
                break
            picked.append(column)
        chosen[user, : len(picked)] = picked
    return chosen


def _best(candidates: CandidateSet, user: int, picked: list[int], rules: Sequence[RerankRule]) -> int | None:
    tracks = candidates.tracks[user].astype(np.int64)
    total = candidates.relevance[user].astype(np.float64)
    allowed = tracks >= 0
    allowed[picked] = False
    wanted = []
    for rule in rules:
        match rule:
            case ArtistCap():
                allowed &= _within_cap(candidates, tracks, picked, rule)
                wanted.append(~_stood_lately(candidates, tracks, picked, rule))
            case NotHeard():
                allowed &= _not_heard(candidates, user, tracks, rule)
            case Diversity():
                total -= rule.weight * _likeness(candidates, tracks, picked)
            case Calibration():
                total -= rule.weight * _miscalibration(candidates, user, tracks, picked)
            case Popularity():
                total -= rule.weight * _out_of_level(candidates, user, tracks, picked)
            case PricedExposure():
                total += rule.members[tracks] @ (rule.high_prices if user < rule.n_at_high_prices else rule.low_prices)
            case FairTopK():
                wanted.insert(0, _protected_if_needed(candidates, tracks, picked, rule))
    for mask in wanted:
        allowed = allowed & mask if (allowed & mask).any() else allowed
    return int(np.argmax(np.where(allowed, total, -np.inf))) if allowed.any() else None


def _within_cap(candidates: CandidateSet, tracks: Values, picked: list[int], rule: ArtistCap) -> Values:
    artists = candidates.context.artists[tracks]
    taken = artists[picked]
    return np.array([artist < 0 or (taken == artist).sum() < rule.tracks for artist in artists])


def _stood_lately(candidates: CandidateSet, tracks: Values, picked: list[int], rule: ArtistCap) -> Values:
    artists = candidates.context.artists[tracks]
    lately = artists[picked[max(0, len(picked) - rule.apart) :]]
    return np.array([artist >= 0 and artist in lately for artist in artists])


def _not_heard(candidates: CandidateSet, user: int, tracks: Values, rule: NotHeard) -> Values:
    liked, seen = candidates.history[np.array([user])], candidates.profile.seen[[user]]
    ages = dict(zip(liked.matrix.indices.tolist(), liked.age_days.tolist(), strict=True))
    only_seen = set(seen.indices.tolist()) - set(ages)
    return np.array([track not in only_seen and ages.get(track, np.inf) >= rule.days for track in tracks.tolist()])


def _likeness(candidates: CandidateSet, tracks: Values, picked: list[int]) -> Values:
    vectors = candidates.context.vectors[tracks].astype(np.float64)
    likeness: Values = np.maximum((vectors @ vectors[picked].T).max(axis=1, initial=0), 0)
    return likeness


def _miscalibration(candidates: CandidateSet, user: int, tracks: Values, picked: list[int]) -> Values:
    mix = candidates.profile.genre_mix[[user]].toarray().ravel()
    parts = candidates.profile.genres[tracks].toarray()
    lists = parts + parts[picked].sum(axis=0)  # (n, n_genres): with each candidate
    n_known = (parts > 0).any(axis=1) + (parts[picked] > 0).any(axis=1).sum()
    smoothed = 0.99 * lists / np.maximum(n_known, 1)[:, None] + 0.01 * mix
    played = mix > 0
    divergence: Values = (mix[played] * np.log(mix[played] / smoothed[:, played])).sum(axis=1)
    paying = (parts[picked] > 0).any(axis=1).sum() + 1
    cost: Values = divergence * paying
    return cost


def _out_of_level(candidates: CandidateSet, user: int, tracks: Values, picked: list[int]) -> Values:
    own = candidates.profile.liked_popularity[user]
    if np.isnan(own):
        return np.zeros(len(tracks))
    popularity = np.maximum(candidates.profile.popularity[tracks], 1 / candidates.profile.n_listeners)
    mean = (popularity + popularity[picked].sum()) / (len(picked) + 1)
    level: Values = np.abs(np.log(mean / own)) * (len(picked) + 1)
    return level


def _protected_if_needed(candidates: CandidateSet, tracks: Values, picked: list[int], rule: FairTopK) -> Values:
    is_protected = candidates.context.members(rule.group)[tracks]
    least = min_protected(candidates.k, rule.share, rule.alpha)[len(picked)]
    wanted: Values = is_protected | (is_protected[picked].sum() >= least)
    return wanted


def plain_least(k: int, share: float, alpha: float) -> list[int]:
    """Return the unadjusted table of FA*IR, count by count."""
    return [next(m for m in range(n + 1) if binom.cdf(m, n, share) > alpha) for n in range(1, k + 1)]
