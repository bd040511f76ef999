"""Coloured initials in place of a picture: catalogues have none of artists and recordings."""

from functools import lru_cache
from html import escape
from urllib.parse import quote
from zlib import crc32

COLOURS = ("#0072B2", "#B34D00", "#00795A", "#9C4F80", "#805500", "#1A6E99")  # at least 4.5 to 1 with white text
SIDE = 64  # of the picture [px]


def initials(name: str) -> str:
    """Return the first letters of the first and the last word of a name, in capitals; a note if it has no letter."""
    words = ["".join(filter(str.isalnum, word)) for word in name.split()]
    firsts = [word[0].upper() for word in words if word]
    return "".join(firsts[:1] + firsts[1:][-1:]) or "♪"


def picture(name: str) -> str:
    """Return an SVG with the initials of a name, which always has the same colour."""
    colour = COLOURS[crc32(name.encode()) % len(COLOURS)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" rx="10" fill="{colour}"/>'
        '<text x="32" y="42" text-anchor="middle" fill="#FFFFFF" font-family="sans-serif" font-size="26" '
        f'font-weight="600">{escape(initials(name))}</text></svg>'
    )


@lru_cache(maxsize=10_000)
def address(name: str) -> str:
    """Return the picture of a name as a data address, for a cell of a table."""
    return f"data:image/svg+xml,{quote(picture(name))}"
