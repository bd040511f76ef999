"""
Read titles: the title itself, the version, and featured artists.

Versions are described in brackets or after a dash: "Song (2011 Remaster)", "Song - Live at the Apollo". Other texts in
brackets belong to the title: "(I Can't Get No) Satisfaction".
"""

import re
import unicodedata
from dataclasses import dataclass

from recsys.cleaning.credits import ArtistNames, credited_in, take_featured
from recsys.cleaning.text import fold
from recsys.cleaning.versions import version_of

_BRACKETS = re.compile(r"[(\[{【「]([^()\[\]{}【】「」]*)[)\]}】」]")
_DASH = re.compile(r"\s+[-\u2013\u2014~|]\s+")
_SAME_WORDS = {"pt": "part", "vol": "volume"}


@dataclass(frozen=True)
class Title:
    """
    A title that was read.

    Attributes:
        key: The folded title without version and featured artists; '' if it consists of punctuation only.
        version: The version (see `versions.version_of`); '' for the recording as it is on the album.
        featured: Featured artists, as written.
    """

    key: str
    version: str = ""
    featured: tuple[str, ...] = ()


def read_title(text: str, artists: ArtistNames) -> Title:
    """
    Read a title as delivered.

    >>> read_title("One Night (feat. Ada) - Live", ArtistNames([]))
    Title(key='one night', version='live', featured=('Ada',))
    >>> read_title("(One) Night [Album Version]", ArtistNames([]))
    Title(key='one night', version='', featured=())
    """
    rest, featured = take_featured(unicodedata.normalize("NFKC", text), artists)
    credited, versions = list(featured), set[str]()

    def without_version(part: str) -> str:
        version = version_of(fold(part))
        versions.update([version] if version else [])
        return f" {part} " if version is None else " "

    def without_credit(found: re.Match[str]) -> str:
        names = credited_in(found[1], artists)
        credited.extend(names)
        return " " if names else without_version(found[1])

    base, *after_dash = _DASH.split(_BRACKETS.sub(without_credit, rest))
    key = _key(" ".join([base, *map(without_version, after_dash)]))
    return Title(key or _key(rest), " / ".join(sorted(versions)), tuple(credited))


def _key(text: str) -> str:
    return " ".join(_SAME_WORDS.get(word, word) for word in fold(text).split())
