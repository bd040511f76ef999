"""
Lines of lyrics from a writer's own words, by form, metre and rhyme.

This is no language model. A line is built from its last word backwards, of pairs of words that follow each other in the
writer's text, or in our wordings of a theme; where no pair fits the metre, any of the words stands there. So lines are
raw material: they scan and rhyme, and mean something only by chance.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from recsys.compose.pronunciation import WEAK_WORDS, Pronunciation, pronunciations
from recsys.errors import InputError
from recsys.lyrics.themes import THEMES
from recsys.lyrics.words import words_of

FEET = {"iamb": "01", "trochee": "10", "anapaest": "001", "dactyl": "100"}
MOST_LINES = 16  # of a stanza
MOST_FEET, MOST_STEPS = 8, 400  # of a line; words that are tried for one
OWN_PAIR, OTHER = 6, 5  # successors in the text that are tried, and any other words


@dataclass(frozen=True, kw_only=True)
class Form:
    """
    What lines must be.

    Attributes:
        scheme: Which lines rhyme: a letter per line.
        foot: A key of FEET.
        n_feet: Feet per line, 2..8; of dactyls and trochees the last one ends on its beat.
    """

    scheme: str = "AABB"
    foot: str = "iamb"
    n_feet: int = 4

    def __post_init__(self) -> None:
        if not 2 <= self.n_feet <= MOST_FEET:
            raise InputError(f"found {self.n_feet} feet, expected 2 to {MOST_FEET}")
        if not self.scheme.isalpha() or len(self.scheme) > MOST_LINES:
            raise InputError(f"found the rhyme scheme {self.scheme!r}, expected at most 16 letters such as ABAB")

    @property
    def pattern(self) -> str:
        """The syllables of a line: 1 is a beat, and the last one is."""
        return (FEET[self.foot] * self.n_feet).rstrip("0")


@dataclass(frozen=True)
class LyricText:
    """
    A line.

    Attributes:
        words: Its words.
        n_pairs: Number of pairs of successive words that stand in the source.
    """

    words: tuple[str, ...]
    n_pairs: int

    @property
    def text(self) -> str:
        """The line as a text."""
        return " ".join("I" + word[1:] if word == "i" or word.startswith("i'") else word for word in self.words)


class Source:
    """
    The words that lines are made of: those of a text and of a theme that the dictionary has.

    Args:
        text: The writer's words.
        theme: A key of `THEMES`, whose wordings are added; None for none.
    """

    def __init__(self, text: str, theme: str | None = None) -> None:
        self.before: dict[str, list[str]] = defaultdict(list)  # word -> words that stand before it
        if theme is not None and theme not in THEMES:
            raise InputError(f"found the theme {theme!r}, expected one of {', '.join(THEMES)}")
        spoken: dict[str, Pronunciation] = {}
        for line in [*text.splitlines(), *(THEMES[theme] if theme else ())]:
            words = words_of(line)
            spoken |= {word: pronunciations()[word] for word in words if word in pronunciations()}
            for first, second in pairwise(words):
                self.before[second].append(first)
        self.spoken = dict(sorted(spoken.items()))
        self.words = list(self.spoken)
        if not self.words:
            raise InputError("found no word of the English dictionary. Give English words, or a --theme")

    def rhymes(self, pattern: str) -> list[list[str]]:
        """Return groups of words that rhyme, and may end a line of a pattern."""
        groups: dict[int, list[str]] = defaultdict(list)
        for word, spoken in self.spoken.items():
            if word not in WEAK_WORDS and spoken.fits(pattern) and spoken.stresses[-1] != "0":
                groups[spoken.rhyme].append(word)
        return list(groups.values())


def write_lines(source: Source, form: Form, rng: np.random.Generator) -> list[LyricText]:
    """
    Write a stanza.

    Raises:
        InputError: The source has too few words that rhyme, or no words for the metre.
    """
    groups = source.rhymes(form.pattern)
    endings: dict[str, list[str]] = {}
    for letter in sorted(set(form.scheme), key=form.scheme.count, reverse=True):
        n = form.scheme.count(letter)
        usable = [group for group in groups if len(group) >= n]
        if not usable:
            raise InputError(
                f"the words have too few rhymes: found no {n} that rhyme with each other and fit the metre, beside "
                f"those of {len(endings)} other rhymes. Give more English words or a --theme, or another --rhyme"
            )
        group = usable[rng.integers(len(usable))]
        groups = [other for other in groups if other is not group]
        endings[letter] = [str(word) for word in rng.permutation(group)[:n]]
    return [_line(source, form.pattern, endings[letter].pop(), rng) for letter in form.scheme]


def stanzas(source: Source, form: Form, n: int, seed: int) -> list[list[LyricText]]:
    """Write n stanzas."""
    rng = np.random.default_rng(seed)
    return [write_lines(source, form, rng) for _ in range(n)]


def _line(source: Source, pattern: str, last: str, rng: np.random.Generator) -> LyricText:
    """Return the line that ends with a word: the first that fits in a search from its end backwards."""
    steps = [MOST_STEPS]
    words = _extended(source, pattern, [last], rng, steps)
    if words is None:
        raise InputError("the words do not fit the metre. Give more words, or another --foot or --feet")
    pairs = sum(first in source.before[second] for first, second in pairwise(words))
    return LyricText(tuple(words), pairs)


def _extended(
    source: Source, pattern: str, words: list[str], rng: np.random.Generator, steps: list[int]
) -> list[str] | None:
    """Return words that end with some words and fill a pattern; None if none was found. `steps` are those left."""
    n_filled = sum(len(source.spoken[word].stresses) for word in words)
    if n_filled == len(pattern):
        return words
    for word in _candidates(source, pattern[: len(pattern) - n_filled], words, rng):
        steps[0] -= 1
        if steps[0] < 0:
            return None
        found = _extended(source, pattern, [word, *words], rng, steps)
        if found is not None:
            return found
    return None


def _candidates(source: Source, rest: str, words: list[str], rng: np.random.Generator) -> Iterator[str]:
    """Yield words that may stand before some words: first those that do in the source."""
    own = [str(word) for word in rng.permutation(source.before[words[0]])[:OWN_PAIR]] if source.before[words[0]] else []
    others = [source.words[place] for place in rng.permutation(len(source.words))]
    fitting = [word for word in dict.fromkeys([*own, *others]) if _may_stand(source, word, rest, words)]
    yield from fitting[: OWN_PAIR + OTHER]


def _may_stand(source: Source, word: str, rest: str, words: list[str]) -> bool:
    """Return whether a word fits the metre, is not said again at once, and weak words are not on a beat or in a row."""
    if word not in source.spoken or word in words or not source.spoken[word].fits(rest):
        return False
    is_weak = word in WEAK_WORDS
    return not is_weak or (rest[-1] == "0" and (words[0] not in WEAK_WORDS or word in source.before[words[0]]))
