"""
The language of a text, or no language where the text does not tell.

The identifier is py3langid with its languages of two letters. Its probabilities are sharpened by one temperature, and
languages outside of LANGUAGES, on which it was measured, are three times rarer before the text is read. A language is
named if its probability is at least .65; the temperature, the prior and the limit were chosen on one half of the
articles of the Universal Declaration of Human Rights and measured on the other (`python -m bench.lyrics`). Where only
languages that are often taken for each other are left, they are all named as options.

Source: Lui and Baldwin, langid.py (ACL 2012).
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from recsys.lyrics.words import words_of

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

    from recsys.arrays import F64

LANGUAGES = (
    "ar", "bg", "bn", "bs", "ca", "cs", "da", "de", "el", "en", "es", "et", "eu", "fa", "fi", "fr", "gl", "he", "hi",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv",
    "sw", "ta", "te", "th", "tl", "tr", "uk", "vi", "zh",
)  # fmt: skip
CONFUSABLE = (frozenset({"bs", "hr", "sr"}), frozenset({"id", "ms"}), frozenset({"da", "no"}), frozenset({"gl", "pt"}))
MIN_PROBABILITY = 0.65
MIN_WORDS = 3  # different ones: "la la la" is no language
_TEMPERATURE = 0.8
_OTHER_PRIOR = 0.3
_LEAST = 1e-12


@dataclass(frozen=True)
class Language:
    """
    What a text says about its language.

    Attributes:
        code: ISO 639-1 code, one of LANGUAGES; None if the text does not tell.
        options: Where there is no code: the languages, often taken for each other, of which it is one; else empty.
        confidence: Probability of the code, or of the options together, 0..1; None where neither is known.
    """

    code: str | None = None
    options: tuple[str, ...] = ()
    confidence: float | None = None


UNKNOWN = Language()

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9_-]*)?")


def primary_code(tag: str | None) -> str | None:
    """
    Return the language of a tag as in BCP 47, without script and region; a text that is no tag is returned unchanged.

    >>> primary_code("en-US"), primary_code("ZH_Hant_TW"), primary_code("English")
    ('en', 'zh', 'English')
    """
    found = _TAG.fullmatch((tag or "").strip())
    return found[1].lower() if found else tag


def detect(text: str) -> Language:
    """Return the language of a text; none if it has fewer than three different words."""
    if len(set(words_of(text))) < MIN_WORDS:
        return UNKNOWN
    return decided(probabilities(text))


def decided(probability: dict[str, float]) -> Language:
    """
    Name the language if it is probable enough, or else the languages that are often taken for each other.

    >>> decided({"id": 0.5, "ms": 0.4, "en": 0.1})
    Language(code=None, options=('id', 'ms'), confidence=0.9)
    """
    best = max(probability, key=probability.__getitem__)
    if best not in LANGUAGES:
        return UNKNOWN
    if probability[best] >= MIN_PROBABILITY:
        return Language(best, confidence=round(probability[best], 4))
    group = next((group for group in CONFUSABLE if best in group), frozenset[str]())
    together = sum(probability.get(code, 0.0) for code in group)
    return Language(None, tuple(sorted(group)), round(together, 4)) if together >= MIN_PROBABILITY else UNKNOWN


def probabilities(text: str) -> dict[str, float]:
    """Return the probability of each language that the identifier knows; they sum to 1."""
    ranked = dict(_identifier().rank(text))
    values: F64 = np.maximum(np.fromiter(ranked.values(), np.float64), _LEAST) ** (1 / _TEMPERATURE)
    prior = np.array([1.0 if code in LANGUAGES else _OTHER_PRIOR for code in ranked])
    weighted = values * prior
    return dict(zip(ranked, (weighted / weighted.sum()).tolist(), strict=True))


@cache
def _identifier() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - an extra; takes a second to load

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in identifier.labels if len(code) == 2])
    return identifier
