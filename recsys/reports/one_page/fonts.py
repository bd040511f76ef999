"""
Fonts of a report: which families its characters need, and which characters no font has.

The font is DejaVu Sans, which matplotlib installs: Latin, Greek, Cyrillic, Arabic, Hebrew, Armenian, Georgian. Fonts of
the machine are read only if a name has other characters, so that all other reports have equal bytes on any machine.
"""

import unicodedata
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

import typst
from matplotlib.ft2font import FT2Font

from recsys.installation.extras import package_folder

FAMILY = "DejaVu Sans"
FOLDER = package_folder("matplotlib") / "mpl-data" / "fonts" / "ttf"
SELECTORS = frozenset(map(chr, range(0xFE00, 0xFE10)))  # choose a variant of the character before them


def lacking(texts: Iterable[str]) -> frozenset[str]:
    """Return the characters of some texts that DejaVu Sans does not have."""
    needed = frozenset(character for character in frozenset("".join(texts)) if _is_drawn(character))
    return needed - _characters(FOLDER / "DejaVuSans.ttf")


def families_with(characters: AbstractSet[str]) -> tuple[list[str], frozenset[str]]:
    """Return families of the machine that have these characters, few of them, and the characters that none has."""
    families, left = list[str](), frozenset(characters)
    for family, path in _machine_fonts():
        if left and (found := left & _characters(path)):
            families, left = [*families, family], left - found
    return families, left


def _is_drawn(character: str) -> bool:
    """Return whether a character needs a glyph: spaces, joiners and marks of direction do not."""
    return unicodedata.category(character) not in {"Cf", "Zs", "Zl", "Zp"} and character not in SELECTORS


@cache
def _machine_fonts() -> list[tuple[str, Path]]:
    """List family and file of each font of the machine in regular weight, by name."""
    found = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).fonts()
    regular = [font for font in found if font.path and font.style == "normal" and font.weight == 400]
    return sorted({(font.family, Path(str(font.path))) for font in regular})


@cache
def _characters(path: Path) -> frozenset[str]:
    """Return the characters that a font file has; none if it cannot be read."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()
