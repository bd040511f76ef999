"""Escaping of text for Markdown: titles, names and messages must never be interpreted as markup."""

import re

from recsys.reports.wording import without_controls

JOINER = "\u2060"  # WORD JOINER: zero width, prevents line breaks
_SPECIAL = re.compile(r"[\\`*~\[\]<>#|$&]|(?<!\w)_|_(?!\w)")  # an underscore inside a word is not markup
_AT_START = re.compile(r"^(\d+(?=[.)])|(?=[-+=]))")
# Renderers change even escaped text: URLs into links, :names: into emoji, -> into arrows.
_AUTOFORMATTED = re.compile(r"(?<=[:@])(?=\S)|(?<=[-<>=~])(?=[-<>=~])|(?<=www)(?=\.)", re.IGNORECASE)

_LINKED = re.compile(r"(?<=:)(?=//)|(?<=@)(?=\S)|(?<=www)(?=\.)", re.IGNORECASE)  # where mail programs begin a link


def escaped(text: str) -> str:
    r"""
    Return Markdown that displays exactly this text, on one line.

    >>> escaped("![Love] *Live* for $1 to $2")
    '!\\[Love\\] \\*Live\\* for \\$1 to \\$2'
    """
    line = _AUTOFORMATTED.sub(JOINER, without_controls(" ".join(text.split())))
    return _AT_START.sub(r"\1\\", _SPECIAL.sub(r"\\\g<0>", line))


def unlinked(text: str) -> str:
    r"""
    Return a plain text in which no program finds a link or an address; for messages, whose names may be anything.

    >>> unlinked("see http://a.example and www.b.example, ann@c.example")
    'see http: //a.example and www .b.example, ann@ c.example'
    """
    return _LINKED.sub(" ", without_controls(" ".join(text.split())))
