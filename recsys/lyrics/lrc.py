"""
LRC: lines of lyrics with times.

    [ar:Artist]                    tags; of these only `offset` and `la` (language) are read
    [offset:+250]                  milliseconds by which the lyrics are shown earlier
    [00:12.50][01:02.00]A line     a line with one or several times: minutes, seconds and hundredths or milliseconds
    [00:15.00]                     an empty line, which ends a section
    [00:17.00]<00:17.00>Two <00:17.40>words <00:18.10>   times of words (enhanced); the last one ends the line

Without an end of its own, a line ends where the next one begins. Lines without a time are dropped if others have one.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from recsys.lyrics.lines import MAX_CHARS, LyricLine, Lyrics, from_lines, from_text

MAX_LRC_CHARS = 8 * MAX_CHARS  # times and tags included
_TIME = r"(\d{1,3}):(\d{1,2})(?:[.:](\d{1,3}))?"
_STAMP = re.compile(rf"\[{_TIME}\]")
_STAMPS = re.compile(rf"\s*(?:\[{_TIME}\]\s*)+")
_WORD_TIME = re.compile(rf"<{_TIME}>")
_LAST_WORD_TIME = re.compile(rf"<{_TIME}>\s*$")
_TAG = re.compile(r"\s*\[([a-zA-Z]{2,8}):([^\]]*)\]\s*$")
_TAGS = {"ar", "ti", "al", "au", "by", "la", "length", "offset", "re", "tool", "ve"}


class TimedLyrics(NamedTuple):
    """Lyrics with the language that the text states, None where it states none."""

    lyrics: Lyrics
    language: str | None


def is_lrc(text: str) -> bool:
    """Return whether a text begins like LRC: its first lines are tags or have times, and some have times."""
    lines = [line for line in text.splitlines() if line.strip()][:20]
    n_with_times = sum(_STAMPS.match(line) is not None for line in lines)
    n_tags = sum(_tag(line) is not None for line in lines)
    return n_with_times > 0 and 2 * (n_with_times + n_tags) > len(lines)


def from_lrc_or_text(text: str) -> TimedLyrics:
    """Read LRC or plain text, whichever it is; LRC of more than MAX_LRC_CHARS as plain text, which is too long then."""
    is_timed = len(text) <= MAX_LRC_CHARS and is_lrc(text)
    return from_lrc(text) if is_timed else TimedLyrics(from_text(text), None)


def from_lrc(text: str) -> TimedLyrics:
    r"""
    Read LRC.

    >>> from_lrc("[offset:500]\n[00:01.00]one\n[00:02.50]two").lyrics.lines
    [LyricLine(text='one', start_ms=500, end_ms=2000), LyricLine(text='two', start_ms=2000, end_ms=None)]
    """
    tags = dict(filter(None, map(_tag, text.splitlines())))
    offset_ms = _whole(tags.get("offset", ""))
    with_times = sorted(_lines_with_times(text), key=lambda line: line.start_ms or 0)
    starts = [line.start_ms for line in with_times[1:]] + [None]
    ended = [
        line._replace(end_ms=line.end_ms if line.end_ms is not None else end)
        for line, end in zip(with_times, starts, strict=True)
    ]
    return TimedLyrics(from_lines(_earlier(line, offset_ms) for line in ended), tags.get("la") or None)


def _tag(line: str) -> tuple[str, str] | None:
    found = _TAG.match(line)
    return (found[1].lower(), found[2].strip()) if found and found[1].lower() in _TAGS else None


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"[+-]?\d{1,6}", text) else 0


def _lines_with_times(text: str) -> Iterator[LyricLine]:
    for line in text.splitlines():
        stamps = _STAMPS.match(line)
        if stamps:
            words = line[stamps.end() :]
            end = _LAST_WORD_TIME.search(words)
            plain = " ".join(_WORD_TIME.sub("", words).split())
            for stamp in _STAMP.finditer(stamps[0]):
                yield LyricLine(plain, _milliseconds(stamp), _milliseconds(end) if end and plain else None)


def _milliseconds(stamp: re.Match[str]) -> int:
    minutes, seconds, fraction = stamp.groups()
    return (int(minutes) * 60 + int(seconds)) * 1000 + int((fraction or "0").ljust(3, "0"))


def _earlier(line: LyricLine, offset_ms: int) -> LyricLine:
    def moved(time_ms: int | None) -> int | None:
        return None if time_ms is None else max(0, time_ms - offset_ms)

    return line._replace(start_ms=moved(line.start_ms), end_ms=moved(line.end_ms))
