"""Which texts of lyrics the lake keeps, by their licence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keeping:
    """
    What is kept of delivered lyrics.

    Attributes:
        texts_of: Licences whose full texts are kept, compared without regard to case; of others only measures are.
        words: Whether the words, without their order, are kept also of other texts.
        vectors: Whether the vectors of sections, which tell their meaning, are kept also of other texts; never beside
            their words, from which both together rebuild lines.
        licence: Licence of texts whose file states none; None if it is unknown.
    """

    texts_of: tuple[str, ...] = ()
    words: bool = True
    vectors: bool = False
    licence: str | None = None

    def keeps_text(self, licence: str | None) -> bool:
        """Return whether a full text with this licence is kept."""
        return licence is not None and licence.casefold() in {name.casefold() for name in self.texts_of}

    def keeps_words(self, licence: str | None) -> bool:
        """Return whether the words of a text with this licence are kept."""
        return self.words or self.keeps_text(licence)

    def keeps_vectors(self, licence: str | None) -> bool:
        """Return whether the vectors of a text with this licence are kept."""
        return self.keeps_text(licence) or (self.vectors and not self.words)
