"""
Greedy re-ranking straight from the definitions, in float64, one listener at a time.

`bench.rerank` times it, and tests compare `recsys.rerank` with it. The prices of the exposure rule are inputs: they are
computed by `recsys.rerank`.
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
from recsys.rerank.rules.debias import Debias
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import PricedExposure
from recsys.rerank.rules.fair_top_k import FairTopK, min_protected
from recsys.rerank.rules.not_heard import NotHeard
from recsys.rerank.rules.popularity import Popularity

Values: TypeAlias = npt.NDArray[Any]


def plain_choice(candidates: CandidateSet, rules: Sequence[RerankRule]) -> I64:
    """
    Choose each listener's list greedily.

    Returns:
        Columns of `candidates.tracks`, shape (n_listeners, k), int64; -1 where no candidate is allowed.
    """
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
    preferences = []  # masks that give way where they would leave no candidate
    for rule in rules:
        match rule:
            case ArtistCap():
                allowed &= _within_cap(candidates, tracks, picked, rule)
                preferences.append(~_is_recent_artist(candidates, tracks, picked, rule))
            case NotHeard():
                allowed &= _not_heard(candidates, user, tracks, rule)
            case FairTopK():
                preferences.insert(0, _protected_if_needed(candidates, tracks, picked, rule))
            case _:
                total += _gain(candidates, user, picked, rule)
    for mask in preferences:
        allowed = allowed & mask if (allowed & mask).any() else allowed
    return int(np.argmax(np.where(allowed, total, -np.inf))) if allowed.any() else None


def _gain(candidates: CandidateSet, user: int, picked: list[int], rule: RerankRule) -> Values:
    """Return what a rule adds to each candidate's relevance."""
    tracks = candidates.tracks[user].astype(np.int64)
    match rule:
        case Diversity():
            return -rule.weight * _max_similarity(candidates, tracks, picked)
        case Calibration():
            return -rule.weight * _miscalibration(candidates, user, tracks, picked)
        case Popularity():
            return -rule.weight * _popularity_gap(candidates, user, tracks, picked)
        case Debias():
            return np.asarray(_debiased(candidates, user, tracks, rule) - candidates.relevance[user])
        case PricedExposure():
            prices = rule.high_prices if user < rule.n_at_high_prices else rule.low_prices
            return np.asarray(rule.members[tracks] @ prices)
    raise TypeError(f"{type(rule).__name__} has no plain form")


def _within_cap(candidates: CandidateSet, tracks: Values, picked: list[int], rule: ArtistCap) -> Values:
    artists = candidates.context.artists[tracks]
    taken = artists[picked]
    return np.array([artist < 0 or (taken == artist).sum() < rule.tracks for artist in artists])


def _is_recent_artist(candidates: CandidateSet, tracks: Values, picked: list[int], rule: ArtistCap) -> Values:
    artists = candidates.context.artists[tracks]
    recent = artists[picked[max(0, len(picked) - rule.apart) :]]
    return np.array([artist >= 0 and artist in recent for artist in artists])


def _not_heard(candidates: CandidateSet, user: int, tracks: Values, rule: NotHeard) -> Values:
    liked, seen = candidates.history[np.array([user])], candidates.profile.seen[[user]]
    ages = dict(zip(liked.matrix.indices.tolist(), liked.age_days.tolist(), strict=True))
    only_seen = set(seen.indices.tolist()) - set(ages)
    return np.array([track not in only_seen and ages.get(track, np.inf) >= rule.days for track in tracks.tolist()])


def _max_similarity(candidates: CandidateSet, tracks: Values, picked: list[int]) -> Values:
    vectors = candidates.context.vectors[tracks].astype(np.float64)
    similarity: Values = np.maximum((vectors @ vectors[picked].T).max(axis=1, initial=0), 0)
    return similarity


def _miscalibration(candidates: CandidateSet, user: int, tracks: Values, picked: list[int]) -> Values:
    mix = candidates.profile.genre_mix[[user]].toarray().ravel()
    parts = candidates.profile.genres[tracks].toarray()
    lists = parts + parts[picked].sum(axis=0)  # (n, n_genres): with each candidate
    n_known = (parts > 0).any(axis=1) + (parts[picked] > 0).any(axis=1).sum()
    smoothed = 0.99 * lists / np.maximum(n_known, 1)[:, None] + 0.01 * mix
    played = mix > 0
    divergence: Values = (mix[played] * np.log(mix[played] / smoothed[:, played])).sum(axis=1)
    n_with_genres = (parts[picked] > 0).any(axis=1).sum() + 1
    cost: Values = divergence * n_with_genres
    return cost


def _popularity_gap(candidates: CandidateSet, user: int, tracks: Values, picked: list[int]) -> Values:
    own = candidates.profile.liked_popularity[user]
    if np.isnan(own):
        return np.zeros(len(tracks))
    popularity = np.maximum(candidates.profile.popularity[tracks], 1 / candidates.profile.n_listeners)
    mean = (popularity + popularity[picked].sum()) / (len(picked) + 1)
    gap: Values = np.abs(np.log(mean / own)) * (len(picked) + 1)
    return gap


def _debiased(candidates: CandidateSet, user: int, tracks: Values, rule: Debias) -> Values:
    n_listeners = np.maximum(candidates.profile.listener_counts[tracks], 1)
    divided = candidates.relevance[user] / n_listeners**rule.exponent
    return np.asarray(divided / divided.max())


def _protected_if_needed(candidates: CandidateSet, tracks: Values, picked: list[int], rule: FairTopK) -> Values:
    is_protected = candidates.context.members(rule.group)[tracks]
    least = min_protected(candidates.k, rule.share, rule.alpha)[len(picked)]
    mask: Values = is_protected | (is_protected[picked].sum() >= least)
    return mask


def plain_minimum_protected(k: int, share: float, alpha: float) -> list[int]:
    """Return FA*IR's unadjusted minimum of protected tracks among the first 1..k, from the binomial distribution."""
    return [next(m for m in range(n + 1) if binom.cdf(m, n, share) > alpha) for n in range(1, k + 1)]
