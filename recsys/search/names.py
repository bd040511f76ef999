"""
SQL that finds words in titles and names, whatever their case, accents and punctuation.

A name is compared as its words between spaces (`title_words` and so on, see `sql/internal/searched_tracks.sql`).
"""

from functools import cache, lru_cache

from recsys.errors import InputError
from recsys.search.condition import Condition, literal
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.memory import in_memory
from recsys.warehouse.query import Warehouse

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


@cache
def _connection() -> Warehouse:
    return in_memory({})


@lru_cache(maxsize=1_000)
def words(text: str) -> str:
    """
    Return the SQL literal of a text's words between spaces, as the columns have them.

    >>> words("Zoë's Straße, 2"), words("&")
    ("' zoe s strasse 2 '", "' '")
    """
    return literal(str(_connection().query(internal_sql("searched_words"), {"text": text}).item()))


def part(text: str) -> str:
    """Return the SQL literal of a text's words, which may be the start and the end of longer ones."""
    return literal(words(text)[1:-1].strip())


def has_name(kind: str, name: str) -> Condition:
    """
    Return the condition that a track's artist or label has a name, or words of it, the last of which may be cut short.

    Args:
        kind: 'artist' or 'label'.
        name: The name; a track scores 1 where it is the whole name.

    Raises:
        InputError: The name has no letter or digit.
    """
    column = f"t.{kind}_words"
    start = literal(words(_refuse_symbols(name))[1:-1].rstrip())
    return Condition(
        text=f"{kind} {name}",
        where=f"contains({column}, {start})",
        score=f"case when {column} = {words(name)} then 1.0 else {PART_SCORE} end",
        values={f"{kind}_name": f"t.{kind}_name"},
        reason=lambda row: f"{kind} {row[f'{kind}_name']}",
        words=(name,),
    )


def _refuse_symbols(text: str) -> str:
    """Return the text; raises InputError if it has no letter or digit."""
    if part(text) == "''":
        raise InputError(f"{text!r} has no letter or digit to search for. Write a word of a name")
    return text


def words_in_names(texts: tuple[str, ...]) -> tuple[str, str, dict[str, str]]:
    """
    Return how to find words that must all be in the names of a track.

    Returns:
        The predicate; the score, the mean of the words' best fields; per field, `in_<field>`: whether it has a word.

    Raises:
        InputError: A text has no letter or digit.
    """
    anywhere = [_has(f"t.{NAMES}", _refuse_symbols(text)) for text in texts]
    scores = [
        f"greatest({', '.join(_score(column, weight, text) for column, weight in FIELDS.values())})" for text in texts
    ]
    values = {
        f"in_{name}": f"({' or '.join(_has(column, text) for text in texts)})" for name, (column, _) in FIELDS.items()
    }
    return f"({' and '.join(anywhere)})", f"(({' + '.join(scores)}) / {len(texts)})", values


def _has(column: str, text: str) -> str:
    return f"contains({column}, {part(text)})"


def _score(column: str, weight: float, text: str) -> str:
    whole = f"contains({column}, {words(text)})"
    return f"case when {whole} then {weight} when {_has(column, text)} then {weight * PART_SCORE:g} else 0 end"
