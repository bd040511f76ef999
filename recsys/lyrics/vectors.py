"""
Vectors of sections by their meaning: which sections say similar things, also in different languages.

Only sections in a language that the encoder was trained on have one: in others its vectors mean little. So do those of
fewer than three different words, such as "la la la". A section that repeats an earlier one has none of its own.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from recsys.arrays import F32, I8
from recsys.lyrics.language import MIN_WORDS
from recsys.lyrics.lines import Lyrics
from recsys.lyrics.words import words_of
from recsys.text.encoder import LANGUAGES, encode

LARGEST = 127  # component of a stored vector


class SectionVector(NamedTuple):
    """
    What a section means.

    Attributes:
        section: Number of the section, from 1.
        vector: Shape (512,), float32, of length 1; the cosine similarity of two is their product.
    """

    section: int
    vector: F32


def section_vectors(lyrics: Lyrics, languages: Sequence[str | None]) -> tuple[SectionVector, ...]:
    """
    Return the vectors of the sections of lyrics, in their order; equal sections have one.

    Args:
        lyrics: The lyrics.
        languages: ISO 639-1 code of each section, None where it is unknown.
    """
    texts: dict[str, tuple[int, str]] = {}  # words -> number of the first section that has them, and its text
    for number, (section, language) in enumerate(zip(lyrics.sections, languages, strict=True), start=1):
        words = words_of(section.text)
        if language in LANGUAGES and len(set(words)) >= MIN_WORDS:
            texts.setdefault(" ".join(words), (number, section.text))
    vectors = encode([text for _, text in texts.values()])
    return tuple(SectionVector(number, row) for (number, _), row in zip(texts.values(), vectors, strict=True))


def as_stored(vector: F32) -> I8:
    """Return a vector as whole numbers, the largest 127; cosine similarities change by .001 at most."""
    scaled: I8 = np.rint(vector * (LARGEST / np.abs(vector).max())).astype(np.int8)
    return scaled
