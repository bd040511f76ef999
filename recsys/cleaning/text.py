"""
Fold names and titles, so that spellings which people take for the same text become equal.

Case, accents on Latin and Greek letters, punctuation and spacing disappear. Marks of other scripts stay, because there
they make another letter: Japanese ka and ga, Cyrillic i and short i, Hindi vowel signs.
"""

import re
import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th", "ð": "d"})
_ACCENTS = re.compile(r"([\u0000-\u03ff])[\u0300-\u036f]+")
_INITIALS = re.compile(r"\b(\w)\.(?=\w\b)")
_AND = re.compile(r"(?<=\s)[&+](?=\s)")
_APOSTROPHES = frozenset("'`\u00b4\u2018\u2019\u02bc")
_KEPT = "LNMS"  # letters, numbers, marks and symbols; of symbols, titles such as "÷" consist


class _Characters(dict[int, str]):
    """What becomes of each character: it stays, it is removed, or it separates words."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in _APOSTROPHES:
            becomes = ""
        else:
            category = unicodedata.category(character)
            becomes = character if category[0] in _KEPT and category != "Sk" else " "
        self[code] = becomes
        return becomes


_CHARACTERS = _Characters({ord("\u2044"): " "})  # the fraction slash


@lru_cache(maxsize=100_000)
def fold(text: str) -> str:
    """
    Return a text in lower case, without accents and punctuation, words separated by single spaces.

    An ampersand or plus sign between words is "and". The result is empty if the text has punctuation only.

    >>> fold("  Señor  D'Angelo & R.E.M.!"), fold("Straße (½)"), fold("???")
    ('senor dangelo and rem', 'strasse 1 2', '')
    """
    joined = _INITIALS.sub(r"\1", _AND.sub("and", text))
    decomposed = unicodedata.normalize("NFKD", joined.casefold().translate(_LETTERS))
    composed = unicodedata.normalize("NFC", _ACCENTS.sub(r"\1", decomposed))
    return " ".join(composed.translate(_CHARACTERS).split())
