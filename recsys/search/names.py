"""
SQL that finds words in titles and names, whatever their case, accents and punctuation.

A name is compared as its words between spaces (`title_words` and so on, see `sql/internal/searched_tracks.sql`).
"""

import re
import unicodedata

from recsys.search.condition import literal

# Name of a field -> the column with its words, and how much a word in it counts.
FIELDS = {
    "title": ("t.title_words", 1.0),
    "artist": ("t.artist_words", 0.8),
    "release": ("t.release_words", 0.6),
    "label": ("t.label_words", 0.4),
    "id": ("t.id_words", 0.9),
}
NAMES, SEPARATOR = "names", "|"  # column with the words of all fields, and what stands between these
PART_SCORE = 0.7  # of a word that is found within a longer one, or of a part of a name


def words(text: str) -> str:
    """
    Return the SQL literal of a text's words between spaces, as the columns have them.

    >>> words("Zoë's Straße, 2"), words("&")
    ("' zoe s strasse 2 '", "' '")
    """
    letters = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
    return literal(re.sub(r"[\W_]+", " ", f" {letters.lower().replace('ß', 'ss')} "))


def part(text: str) -> str:
    """Return the SQL literal of a text's words, which may be the start and the end of longer ones."""
    return literal(words(text)[1:-1].strip())


def exact_or_part(column: str, name: str) -> tuple[str, str]:
    """Return the predicate that the words of a name contain a text, and the score: 1 where they are the name."""
    return f"contains({column}, {part(name)})", f"case when {column} = {words(name)} then 1.0 else {PART_SCORE} end"


def words_in_names(texts: tuple[str, ...]) -> tuple[str, str, dict[str, str]]:
    """
    Return how to find words that must all be in the names of a track.

    Returns:
        The predicate; the score, the mean of the words' best fields; per field, `in_<field>`: whether it has a word.
    """
    anywhere = [_has(f"t.{NAMES}", text) for text in texts]
    scores = [
        f"greatest({', '.join(_score(column, weight, text) for column, weight in FIELDS.values())})" for text in texts
    ]
    values = {
        f"in_{name}": f"({' or '.join(_has(column, text) for text in texts) or 'false'})"
        for name, (column, _) in FIELDS.items()
    }
    return f"({' and '.join(anywhere) or 'true'})", f"(({' + '.join(scores) or '1.0'}) / {max(len(texts), 1)})", values


def _has(column: str, text: str) -> str:
    return f"contains({column}, {part(text)})"


def _score(column: str, weight: float, text: str) -> str:
    whole = f"contains({column}, {words(text)})"
    return f"case when {whole} then {weight} when {_has(column, text)} then {weight * PART_SCORE:g} else 0 end"
