"""
Models of what simulated listeners play from a list, so that no conclusion is an artefact of one of them.

Each is a function of the shown tracks, one row per listener and one column per position: the probability that the
listener likes each track, and how many listeners know it. It returns which are played, shape (n_users, k), bool. Random
numbers are arguments, so that the same ones can be used for every remedy. Where a list is shorter than k, its last
positions have probability 0 and are never played.

Source:
    Craswell, Zoeter, Taylor, Ramsey, An Experimental Comparison of Click Position-Bias Models (2008); Guo, Liu, Wang,
    Efficient Multiple-Click Models in Web Search (2009); McFadden, Conditional Logit Analysis of Qualitative Choice
    Behavior (1974); Salganik, Dodds, Watts, Experimental Study of Inequality and Unpredictability in an Artificial
    Cultural Market (2006).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from recsys.arrays import F64, Bool
from recsys.evaluate.ranking import discounts

CONTINUES_AFTER_PLAY, CONTINUES_AFTER_SKIP = 0.6, 0.95  # probabilities of reading on, model 'cascade'
CONFORMITY = 0.5  # exponent of the relative number of listeners in the odds of liking, model 'conformity'


class Shown(NamedTuple):
    """
    The lists that are shown; all arrays have the shape (n_users, k), best position first.

    Attributes:
        likes: Probability that the listener likes the track, 0..1; 0 in empty positions.
        n_listeners: Number of listeners who know the track, >= 0.
        liking: Random numbers that decide what is liked, uniform in 0..1.
        attention: Random numbers that decide what is looked at, uniform in 0..1.
    """

    likes: F64
    n_listeners: F64
    liking: F64
    attention: F64


def position(shown: Shown) -> Bool:
    """Look at rank r with probability 1 / log2(1 + r), whatever stands above it, and play what is liked."""
    played: Bool = (shown.liking < shown.likes) & (shown.attention < discounts(shown.likes.shape[1]))
    return played


def cascade(shown: Shown) -> Bool:
    """Read from the top and play what is liked; read on with one probability after a play, with another after none."""
    liked = shown.liking < shown.likes
    continues = shown.attention < np.where(liked, CONTINUES_AFTER_PLAY, CONTINUES_AFTER_SKIP)
    reached = np.cumprod(continues, axis=1)[:, :-1] > 0  # of every position but the first
    played: Bool = liked & np.column_stack([np.ones(len(liked), np.bool_), reached])
    return played


def logit(shown: Shown) -> Bool:
    """Play one track or nothing, in proportion to the odds of liking times 1 / log2(1 + rank); nothing has weight 1."""
    weights = _odds(shown.likes) * discounts(shown.likes.shape[1])
    with np.errstate(divide="ignore"):
        utility = np.log(weights) - np.log(-np.log(np.clip(shown.liking, 1e-12, 1 - 1e-12)))  # Gumbel noise
    nothing = -np.log(-np.log(np.clip(shown.attention[:, :1], 1e-12, 1 - 1e-12)))
    best = utility.max(axis=1, keepdims=True)
    played: Bool = (utility == best) & (best > nothing)
    return played


def conformity(shown: Shown) -> Bool:
    """As `position`, but the odds of liking grow with the number of listeners beside the mean of what is shown."""
    is_shown = shown.likes > 0
    relative = (1 + shown.n_listeners) / (1 + shown.n_listeners[is_shown].mean() if is_shown.any() else 1)
    odds = _odds(shown.likes) * relative**CONFORMITY
    return position(shown._replace(likes=odds / (1 + odds)))


def _odds(probabilities: F64) -> F64:
    odds: F64 = probabilities / np.maximum(1 - probabilities, 1e-9)
    return odds


CHOICES: Mapping[str, Callable[[Shown], Bool]] = MappingProxyType(
    {"position": position, "cascade": cascade, "logit": logit, "conformity": conformity}
)
