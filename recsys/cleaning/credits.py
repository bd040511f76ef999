"""
Read artist credits: main artists and featured artists, without splitting a name that is one artist.

"feat.", "ft." and "featuring" always begin featured artists. Other separators (&, commas, x, vs., with ...) also occur
inside of names, such as Simon & Garfunkel or Earth, Wind & Fire. Such a credit is split only if each of its parts is
itself an artist of the catalogue, and never if the catalogue says that the whole name is a person or a group.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from recsys.cleaning.text import fold

_FEATURING = re.compile(r"\s*[(\[]?\s*(?<!\w)(?:feat\.?|ft\.?|featuring)\s+(?P<names>[^()\[\]]+)[)\]]?", re.IGNORECASE)
_WITH = re.compile(r"(?:with|con|com|avec|mit|w/)\s+(?P<names>.+)", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"(\s*[,;/]\s*(?:(?:and|&)\s+)?|\s+(?:&|\+|\u00d7|x|and|y|und|et|vs\.?|versus|with|con|com|avec|mit)\s+)",
    re.IGNORECASE,
)
_FEATURED_AFTER = frozenset({"with", "con", "com", "avec", "mit"})
_MAX_PARTS = 24


@dataclass(frozen=True)
class Credit:
    """The names in a credit, as written: main artists, and artists who are featured."""

    main: tuple[str, ...]
    featured: tuple[str, ...] = ()


class ArtistNames:
    """
    The artists of a catalogue, by name.

    Args:
        names: Names of all artists.
        single: Of these, the names that the catalogue says are one person or one group.
    """

    def __init__(self, names: Iterable[str], single: Iterable[str] = ()) -> None:
        self._single = {fold(name) for name in single}
        self._known = {fold(name) for name in names} | self._single

    def __contains__(self, name: str) -> bool:
        return fold(name) in self._known

    def is_single(self, name: str) -> bool:
        """Return whether the name is known to be one person or one group."""
        return fold(name) in self._single


def split_credit(text: str, artists: ArtistNames) -> Credit:
    """
    Split an artist credit into main and featured artists.

    >>> known = ArtistNames(["Ada", "Bix", "Cy", "Ada & Bix"], single=["Simon & Garfunkel", "Earth, Wind & Fire"])
    >>> split_credit("Ada & Bix feat. Cy", known)
    Credit(main=('Ada', 'Bix'), featured=('Cy',))
    >>> split_credit("Earth, Wind & Fire, Ada", known).main, split_credit("Simon & Garfunkel", known).main
    (('Earth, Wind & Fire', 'Ada'), ('Simon & Garfunkel',))
    """
    rest, featured = take_featured(text, artists)
    main, joined = _split(rest, artists)
    return Credit(main, joined + featured)


def take_featured(text: str, artists: ArtistNames) -> tuple[str, tuple[str, ...]]:
    """Return a title or credit without its "feat." part, and the artists that this part names."""
    found = _FEATURING.search(text)
    if found is None or not (rest := text[: found.start()] + text[found.end() :]).strip():
        return text, ()
    main, joined = _split(found["names"], artists, is_list=True)
    return rest, main + joined


def credited_in(text: str, artists: ArtistNames) -> tuple[str, ...]:
    """Return the artists that a text in brackets credits, such as "with Ada"; none unless the catalogue has them."""
    found = _WITH.fullmatch(text.strip())
    names = _split(found["names"], artists)[0] if found else ()
    return names if all(name in artists for name in names) else ()


def _split(text: str, artists: ArtistNames, *, is_list: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """
    Split joined names into main and featured artists; a name that cannot be split is one main artist.

    Args:
        text: Names and separators.
        artists: The artists of the catalogue.
        is_list: Whether commas and ampersands certainly separate artists, unless the catalogue has them in one name.
    """
    pieces = _SEPARATOR.split(text.strip())
    if artists.is_single(text) or not 1 < len(pieces) <= 2 * _MAX_PARTS:
        return (text.strip(),), ()
    names = _segments(pieces, artists)
    if names is None:
        return tuple(piece.strip() for piece in pieces[::2] if piece.strip()) if is_list else (text.strip(),), ()
    main = tuple(name for name, separator in names if separator not in _FEATURED_AFTER)
    return main, tuple(name for name, separator in names if separator in _FEATURED_AFTER)


def _segments(pieces: list[str], artists: ArtistNames) -> list[tuple[str, str]] | None:
    """
    Cover a credit by names of the catalogue, long names first.

    Args:
        pieces: Names and, between them, separators.
        artists: The artists of the catalogue.

    Returns:
        Each name with the separator before it, without spaces; None if no two or more names cover the credit.
    """
    n = len(pieces)
    rest: dict[int, list[tuple[str, str]] | None] = {n + 1: []}  # by the position at which a name begins
    for first in range(n - 1, -1, -2):
        separator = pieces[first - 1].strip().lower().rstrip(".") if first else ""
        rest[first] = None
        for last in range(n, first, -2):
            name, after = "".join(pieces[first:last]).strip(), rest[last + 1]
            if (first, last) != (0, n) and after is not None and name in artists:
                rest[first] = [(name, separator), *after]
                break
    return rest[0]
