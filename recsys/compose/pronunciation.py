"""
How English words are stressed and what they rhyme with: the CMU Pronouncing Dictionary, in American English.

A line of the file has a word, the stress of each syllable (0 none, 1 primary, 2 secondary) and the number of its rhyme;
`bench/convert_pronunciations.py` wrote it. Words that are not in it are not used.
"""

import gzip
from functools import cache
from pathlib import Path
from typing import NamedTuple

DICTIONARY = Path(__file__).parent / "pronunciations.txt.gz"
WEAK_WORDS = frozenset(  # words of one syllable that are stressed only in a weak place
    ["a", "an", "the", "of", "to", "and", "or", "in", "on", "at", "is", "as", "for", "by", "with", "from", "that",
     "than", "was", "were", "are", "be", "but", "its", "it's", "i'm", "my", "your", "his", "her", "our", "their"]
)  # fmt: skip


class Pronunciation(NamedTuple):
    """
    How a word is said.

    Attributes:
        stresses: One character per syllable: 0, 1 or 2.
        rhyme: Equal for words that are equal from the last stressed vowel to the end.
    """

    stresses: str
    rhyme: int

    def fits(self, pattern: str) -> bool:
        """
        Return whether a word fits the last syllables of a pattern, of which 1 is a beat.

        Words of one syllable fit any place. In others, primary stresses are on beats, and unstressed syllables are not.

        >>> Pronunciation("010", 0).fits("010"), Pronunciation("010", 0).fits("101"), Pronunciation("1", 0).fits("0")
        (True, False, True)
        """
        n = len(self.stresses)
        if n > len(pattern):
            return False
        if n == 1:
            return True
        pairs = zip(self.stresses, pattern[-n:], strict=True)
        return all(stress in {"2", beat} for stress, beat in pairs)


@cache
def pronunciations() -> dict[str, Pronunciation]:
    """Return the dictionary: word in lower case -> how it is said."""
    with gzip.open(DICTIONARY, "rt", encoding="utf-8") as file:
        rows = (line.split() for line in file)
        return {word: Pronunciation(stresses, int(rhyme)) for word, stresses, rhyme in rows}
