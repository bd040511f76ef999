"""
Explicit words: the lines that have them, for which of four reasons, and how probable it is that lyrics are explicit.

A lexicon is used only for lines in its language: many words mean something else in another one. The language of a line
is that of its section, or of the whole text where the section does not tell; so mixed lyrics are counted by several
lexicons, and the counts are the sums of the hits. English terms are sorted into four reasons. Those of other languages
are counted as profanity, sexual ones included, since their lists are not sorted. The probability is that of a delivered
explicit flag, given how often terms occur, whichever lexicon they are of; it is known for English lyrics only. The
length of the text is left out: it would predict flags better, since rap has many words, but judge the genre instead of
the words. WEIGHTS are printed by `python -m bench.lyrics`.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

REASONS = ("profanity", "sex", "violence", "drugs")
ENGLISH = "en"
_LEXICON = Path(__file__).with_name("lexicons") / "explicit.tsv"
_MILD = "mild"
FEATURES = ("profanity", _MILD, "sex", "drugs", "violence")  # of ln(1 + occurrences)
WEIGHTS, INTERCEPT = (2.20, 0.94, 0.69, 0.64, 0.50), -4.41


class Term(NamedTuple):
    """
    A term of a lexicon.

    Attributes:
        words: Its words.
        group: Its reason, or `mild` for mild profanity.
    """

    words: tuple[str, ...]
    group: str

    @property
    def reason(self) -> str:
        """One of REASONS."""
        return "profanity" if self.group == _MILD else self.group


class TermHit(NamedTuple):
    """
    A term that occurs in a line.

    Attributes:
        line: Number of the line, from 1; None for a bag of words.
        term: The term of the lexicon.
        n: How often it occurs there.
    """

    line: int | None
    term: Term
    n: int


class Explicit(NamedTuple):
    """
    What a text has of explicit words.

    Attributes:
        hits: The hits, in the order of lines.
        counts: Reason -> occurrences, for the reasons that the lexicons of the sections tell; empty without any.
        probability: Probability that the lyrics are marked explicit, 0..1; None for other languages than English.
    """

    hits: tuple[TermHit, ...] = ()
    counts: Mapping[str, int] = {}
    probability: float | None = None


@cache
def _lexicons() -> dict[str, dict[str, list[Term]]]:
    """Return language -> first word -> terms, the longest first."""
    found: dict[str, dict[str, list[Term]]] = defaultdict(lambda: defaultdict(list))
    for row in _LEXICON.read_text(encoding="utf-8").splitlines():
        if not row.startswith("#"):
            language, words, group = row.split("\t")
            term = Term(tuple(words.split()), group)
            found[language][term.words[0]].append(term)
    for starts in found.values():
        for terms in starts.values():
            terms.sort(key=lambda term: -len(term.words))
    return found


def languages() -> frozenset[str]:
    """Return the languages that have a lexicon."""
    return frozenset(_lexicons())


def hits_in(words: list[str], language: str | None, line: int | None = None) -> list[TermHit]:
    """
    Find the terms in a line; of overlapping ones, the first and longest.

    Args:
        words: The words of the line, in order.
        language: Language of the line; None finds nothing.
        line: Number of the line.
    """
    starts, found, place = _lexicons().get(language or "", {}), Counter[Term](), 0
    while place < len(words):
        fitting = (term for term in starts.get(words[place], ()) if words_at(words, place, term) == term.words)
        term = next(fitting, None)
        if term:
            found[term] += 1
        place += len(term.words) if term else 1
    return [TermHit(line, term, n) for term, n in found.items()]


def words_at(words: list[str], place: int, term: Term) -> tuple[str, ...]:
    """Return as many words from a place on as a term has."""
    return tuple(words[place : place + len(term.words)])


def hits_in_bag(bag: Mapping[str, int], language: str | None) -> list[TermHit]:
    """Find the terms of one word in a bag of words."""
    return [TermHit(None, hit.term, bag[word]) for word in bag for hit in hits_in([word], language)]


def summary(hits: Iterable[TermHit], found_languages: Collection[str | None], language: str | None) -> Explicit:
    """
    Count hits by reason, and estimate how probable an explicit flag is.

    Args:
        hits: The hits of the whole text.
        found_languages: Language of each section.
        language: Language of the whole text.
    """
    if not languages() & set(found_languages):
        return Explicit()
    listed = tuple(hits)
    reasons = REASONS if ENGLISH in found_languages else REASONS[:1]
    counts = {reason: sum(hit.n for hit in listed if hit.term.reason == reason) for reason in reasons}
    return Explicit(listed, counts, probability(listed) if language == ENGLISH else None)


def features(hits: Iterable[TermHit]) -> list[float]:
    """Return ln(1 + occurrences) of each group of FEATURES."""
    counts = Counter[str]()
    for hit in hits:
        counts[hit.term.group] += hit.n
    return [math.log1p(counts[group]) for group in FEATURES]


def probability(hits: Iterable[TermHit]) -> float:
    """Return the probability that English lyrics are marked explicit, 0..1, by logistic regression."""
    score = INTERCEPT + sum(weight * value for weight, value in zip(WEIGHTS, features(hits), strict=True))
    return round(1 / (1 + math.exp(-score)), 4)
