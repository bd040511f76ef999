"""Text that is to be read letter by letter, written as Markdown: titles, names and messages are data, never markup."""

import re

JOINER = "\u2060"  # WORD JOINER: has no width, and lines do not break there
_SPECIAL = re.compile(r"[\\`*~\[\]<>#|$&]|(?<!\w)_|_(?!\w)")  # inside a word an underscore is one
_AT_START = re.compile(r"^(\d+(?=[.)])|(?=[-+=]))")
# What renderers make of plain text, whatever is escaped: addresses into links, :names: into pictures, -> into arrows.
_MADE_INTO_MORE = re.compile(r"(?<=[:@])(?=\S)|(?<=[-<>=~])(?=[-<>=~])|(?<=www)(?=\.)", re.IGNORECASE)


def escaped(text: str) -> str:
    r"""
    Return Markdown that shows exactly this text, on one line.

    >>> escaped("![Love] *Live* for $1 to $2")
    '!\\[Love\\] \\*Live\\* for \\$1 to \\$2'
    """
    line = _MADE_INTO_MORE.sub(JOINER, " ".join(text.split()))
    return _AT_START.sub(r"\1\\", _SPECIAL.sub(r"\\\g<0>", line))
