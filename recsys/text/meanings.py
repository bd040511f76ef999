"""
Texts by meaning: the text of a list that is closest in meaning to a word or a sentence, in sixteen languages.

It compares words with words (see `recsys.text.encoder`); it has never heard a sound. Opposites are not far apart (happy
and sad .6, ugly and beautiful .66), so only clearer similarities count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from recsys.arrays import F32
from recsys.text.encoder import encode

MIN_SIMILARITY = 0.7  # below, the closest text means something else


class Closest(NamedTuple):
    """A text, and its cosine similarity to what was asked for, .7..1."""

    text: str
    similarity: float


@dataclass(frozen=True, eq=False)
class Meanings:
    """
    Texts and their vectors.

    Attributes:
        texts: The texts.
        vectors: Shape (n_texts, 512), float32, of length 1.
    """

    texts: tuple[str, ...]
    vectors: F32

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Encode texts; of one or two words, about .5 CPU-ms each."""
        return cls(tuple(texts), encode(texts))

    def closest(self, text: str) -> Closest | None:
        """Return the text that is closest in meaning; None if none is close."""
        if not self.texts:
            return None
        similarities = self.vectors @ encode([text])[0]
        best = int(similarities.argmax())
        similarity = float(similarities[best])
        return Closest(self.texts[best], min(similarity, 1.0)) if similarity >= MIN_SIMILARITY else None
