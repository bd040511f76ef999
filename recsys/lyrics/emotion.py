"""
What English words say of the mood: valence (sad to happy), arousal (calm to excited), and how probable happy words are.

Ratings of words come from `lexicons/emotion.tsv`; order does not matter, so bags of words are rated as well. The mean
rating is drawn towards 0 as if PRIOR neutral words stood beside those that are rated. Other languages than English, and
stems, are refused: nothing was measured there. The probability is calibrated on songs labelled happy or sad; SLOPE and
INTERCEPT are printed by `python -m bench.lyrics`. Other emotions are left out, since no labels for them were at hand.

Source: Hutto and Gilbert, VADER (ICWSM 2014), for the ratings of valence.
"""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from recsys.lyrics.explicit import ENGLISH

MIN_WORDS = 3  # different rated ones; with fewer, the mood is unknown
PRIOR = 3.0  # neutral words, as ln(1 + occurrences)
SLOPE, INTERCEPT = 5.56, -0.64
_LEXICON = Path(__file__).with_name("lexicons") / "emotion.tsv"
_LARGEST_VALENCE, _LARGEST_AROUSAL = 4.0, 2.0  # ratings of the lexicon


class Emotion(NamedTuple):
    """
    What the words of a text say of the mood; all None where it is unknown.

    Attributes:
        valence: From sad (-1) to happy (1); None with fewer than MIN_WORDS rated words.
        arousal: From calm (-1) to excited (1); likewise.
        happy: Probability that the words are happy, not sad, 0..1.
    """

    valence: float | None = None
    arousal: float | None = None
    happy: float | None = None


UNKNOWN = Emotion()


def emotion_of(words: Mapping[str, int], language: str | None) -> Emotion:
    """
    Return what words say of the mood.

    Args:
        words: Word, not its stem -> how often it occurs.
        language: Language of the text.
    """
    if language != ENGLISH:
        return UNKNOWN
    valences, arousals = _ratings()
    valence, arousal = mean_rating(words, valences), mean_rating(words, arousals)
    happy = None if valence is None else 1 / (1 + math.exp(-(SLOPE * valence + INTERCEPT)))
    return Emotion(_rounded(valence), _rounded(arousal), _rounded(happy))


def mean_rating(words: Mapping[str, int], ratings: Mapping[str, float]) -> float | None:
    """
    Return the mean rating of words, each weighted by ln(1 + occurrences); None with fewer than MIN_WORDS rated ones.

    >>> mean_rating({"warm": 1, "sun": 1, "rain": 1, "the": 9}, {"warm": 1.0, "sun": 0.5, "rain": -0.5}) > 0
    True
    """
    rated = [(math.log1p(n), ratings[word]) for word, n in words.items() if word in ratings]
    if len(rated) < MIN_WORDS:
        return None
    return sum(weight * rating for weight, rating in rated) / (PRIOR + sum(weight for weight, _ in rated))


@cache
def _ratings() -> tuple[dict[str, float], dict[str, float]]:
    """Return word -> valence and word -> arousal, -1..1."""
    rows = [row.split("\t") for row in _LEXICON.read_text(encoding="utf-8").splitlines() if not row.startswith("#")]
    valences = {word: float(valence) / _LARGEST_VALENCE for word, valence, _ in rows if valence}
    return valences, {word: float(arousal) / _LARGEST_AROUSAL for word, _, arousal in rows if arousal}


def valence_ratings() -> Mapping[str, float]:
    """Return the valence of the words that are rated, -1..1."""
    return _ratings()[0]


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
